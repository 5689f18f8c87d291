ARG VERSION=3.22
LABEL a=b
FROM alpine:${VERSION}
LABEL a=b
# found by hadolint: 2
