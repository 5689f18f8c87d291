# syntax=docker.io/docker/dockerfile:1.7-labs
FROM alpine:3.22
USER 10001
