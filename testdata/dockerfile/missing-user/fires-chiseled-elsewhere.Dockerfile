FROM registry.acme.dev/app:1-chiseled
CMD ["app"]
# expect: 1
