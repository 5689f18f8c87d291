FROM debian:12 AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN a | b
FROM base
RUN a | b
FROM alpine:3.22
RUN set -eo pipefail; a | b
RUN a || b
