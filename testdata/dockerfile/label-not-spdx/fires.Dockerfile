# label: org.opencontainers.image.licenses spdx
# expect: 6 8 11
FROM alpine:3.22
ARG V=1
ENV E="not it at all"
LABEL org.opencontainers.image.licenses="Apache License 2"
LABEL other.key="Apache License 2" \
      org.opencontainers.image.licenses="Apache License 2"
LABEL org.opencontainers.image.licenses="Apache-2.0 OR MIT"
LABEL org.opencontainers.image.licenses=${V}
LABEL "org.opencontainers.image.licenses"='Apache License 2'
