# ignores: refuse correctness
FROM alpine:3.22
# hadolint ignore=DL3004
RUN sudo a
# hadolint ignore=SC1091
RUN a
