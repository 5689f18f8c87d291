FROM alpine:3.22 AS build
FROM scratch
COPY --from=Build /app /app
COPY --from=0 /app /app
COPY --from=busybox:1 /bin/true /
COPY --from=docker.io/library/busybox /bin/true /
