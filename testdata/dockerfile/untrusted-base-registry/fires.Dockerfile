# trusted: registry.acme.example/base/* docker.io/library/alpine *.trusted.example
# expect: 5 6 7 9 12 13 14 15
ARG REGISTRY=quay.io
ARG TAG
FROM debian:12 AS a
FROM $REGISTRY/x/y:1 AS b
FROM docker.io/acme/alpine:3 AS c
FROM registry.acme.example/base/debian:12 AS d
FROM registry.acme.example/other/debian:${TAG} AS e
FROM alpine:${TAG} AS f
FROM a
COPY --from=ghcr.io/acme/tools:1 /a /b
RUN --mount=from=busybox,target=/b make
FROM trusted.example/a AS g
FROM trusted.example.evil.example/a AS h
FROM my.trusted.example/a AS i
