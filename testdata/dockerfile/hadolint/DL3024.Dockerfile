FROM alpine:3.22 AS build
FROM alpine:3.22 AS other
FROM debian:12 AS build
FROM debian:12
# found by hadolint: 3
