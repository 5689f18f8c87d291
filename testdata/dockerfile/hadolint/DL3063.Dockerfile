FROM alpine:3.22 AS build
FROM alpine:3.22 AS scratch
FROM alpine:3.22 AS context
FROM alpine:3.22 AS scratch-pad
# found by hadolint: 2 3
