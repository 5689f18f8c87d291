FROM --platform=$BUILDPLATFORM alpine:3.22
FROM --platform=${TARGETPLATFORM:-linux/amd64} alpine:3.22
FROM alpine:3.22
