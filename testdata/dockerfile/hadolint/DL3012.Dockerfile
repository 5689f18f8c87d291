FROM alpine:3.22 AS one
HEALTHCHECK CMD ["a"]
FROM alpine:3.22
HEALTHCHECK CMD ["a"]
RUN true
HEALTHCHECK NONE
HEALTHCHECK --interval=5s CMD ["b"]
# found by hadolint: 6 7
