FROM alpine:3.22 AS one
CMD ["a"]
FROM alpine:3.22
CMD ["a"]
ENTRYPOINT ["a"]
CMD ["b"]
CMD ["c"]
ONBUILD CMD ["d"]
# found by hadolint: 6 7
