# label: org.opencontainers.image.version semver
# expect: 6 8 11
FROM alpine:3.22
ARG V=1
ENV E="not it at all"
LABEL org.opencontainers.image.version="v1.4"
LABEL other.key="v1.4" \
      org.opencontainers.image.version="v1.4"
LABEL org.opencontainers.image.version="1.4.0"
LABEL org.opencontainers.image.version=${V}
LABEL "org.opencontainers.image.version"='v1.4'
