ARG P=linux/amd64
FROM --platform=$BUILDPLATFORM alpine:3.22
FROM --platform=${P} alpine:3.22
FROM --platform=linux/arm64 alpine:3.22 AS for-arm64
FROM alpine:3.22
