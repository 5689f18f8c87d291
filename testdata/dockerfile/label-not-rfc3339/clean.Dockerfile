# label: org.opencontainers.image.created rfc3339
ARG G
FROM alpine:3.22
ARG V=x
LABEL org.opencontainers.image.created="2026-11-23T04:05:06Z"
LABEL org.opencontainers.image.created=$V
LABEL org.opencontainers.image.created="${UNKNOWN}"
LABEL org.opencontainers.image.created=""
LABEL other.key="23.11.2026"
LABEL $V="23.11.2026"
