# label: org.opencontainers.image.created rfc3339
# expect: 6 8 11
FROM alpine:3.22
ARG V=1
ENV E="not it at all"
LABEL org.opencontainers.image.created="23.11.2026"
LABEL other.key="23.11.2026" \
      org.opencontainers.image.created="23.11.2026"
LABEL org.opencontainers.image.created="2026-11-23T04:05:06Z"
LABEL org.opencontainers.image.created=${V}
LABEL "org.opencontainers.image.created"='23.11.2026'
