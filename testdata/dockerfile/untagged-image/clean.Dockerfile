ARG IMAGE
ARG BASE=alpine:3
FROM ${IMAGE} AS x
FROM ${BASE} AS y
FROM scratch
COPY --from=y /a /a
COPY --from=0 /b /b
FROM debian@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d
