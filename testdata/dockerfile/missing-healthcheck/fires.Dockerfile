# expect: 4
FROM alpine:3.22 AS a
HEALTHCHECK CMD x
FROM debian:12
CMD x
