# base: debian:12 linux/amd64
# base: alpine:3.22 linux/arm64 nobody A=b
FROM --platform=linux/amd64 debian:12
FROM --platform=linux/aarch64 alpine:3.22
FROM --platform=$TARGETPLATFORM alpine:3.22
FROM alpine:3.22
FROM --platform=linux/arm64 unknown:1
