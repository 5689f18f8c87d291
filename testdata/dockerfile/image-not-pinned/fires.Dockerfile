# expect: 3 4 5
ARG BASE=debian:12
FROM alpine:3.22
FROM ${BASE}
COPY --from=busybox:1 /bin/true /
