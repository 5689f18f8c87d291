FROM --platform=$TARGETPLATFORM alpine:3.22 AS a
FROM --platform=${TARGETPLATFORM} alpine:3.22 AS b
FROM --platform=$BUILDPLATFORM alpine:3.22 AS c
FROM --platform=${TARGETPLATFORM:-linux/amd64} alpine:3.22 AS d
FROM alpine:3.22
# found by hadolint: 1 2
