ARG IMAGE
ARG VERSION=3.22
ARG STAGE=base
FROM alpine:$VERSION AS base
FROM ${IMAGE:-alpine:3.22}
FROM ${IMAGE:?give an image}
FROM $STAGE
FROM scratch
