FROM alpine:3.22 AS one
ENTRYPOINT ["a"]
FROM alpine:3.22
ENTRYPOINT ["a"]
CMD ["a"]
ENTRYPOINT ["b"]
ENTRYPOINT ["c"]
# found by hadolint: 6 7
