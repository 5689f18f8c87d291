# label: org.opencontainers.image.source url
# expect: 6 8 11
FROM alpine:3.22
ARG V=1
ENV E="not it at all"
LABEL org.opencontainers.image.source="github.com/acme/app"
LABEL other.key="github.com/acme/app" \
      org.opencontainers.image.source="github.com/acme/app"
LABEL org.opencontainers.image.source="https://github.com/acme/app"
LABEL org.opencontainers.image.source=${V}
LABEL "org.opencontainers.image.source"='github.com/acme/app'
