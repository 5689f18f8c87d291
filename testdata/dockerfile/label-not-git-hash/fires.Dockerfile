# label: org.opencontainers.image.revision hash
# expect: 6 8 11
FROM alpine:3.22
ARG V=1
ENV E="not it at all"
LABEL org.opencontainers.image.revision="main"
LABEL other.key="main" \
      org.opencontainers.image.revision="main"
LABEL org.opencontainers.image.revision="1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
LABEL org.opencontainers.image.revision=${V}
LABEL "org.opencontainers.image.revision"='main'
