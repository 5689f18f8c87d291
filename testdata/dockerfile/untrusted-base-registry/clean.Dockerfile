# trusted: docker.io registry.acme.example
ARG REGISTRY
FROM debian:12 AS base
FROM base
FROM scratch
COPY --from=base /a /b
COPY --from=0 /a /b
FROM registry.acme.example:443/x/y@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
FROM $REGISTRY/x:1
RUN --mount=from=base,target=/b make
