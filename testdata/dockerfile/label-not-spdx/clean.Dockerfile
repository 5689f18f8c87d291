# label: org.opencontainers.image.licenses spdx
ARG G
FROM alpine:3.22
ARG V=x
LABEL org.opencontainers.image.licenses="Apache-2.0 OR MIT"
LABEL org.opencontainers.image.licenses=$V
LABEL org.opencontainers.image.licenses="${UNKNOWN}"
LABEL org.opencontainers.image.licenses=""
LABEL other.key="Apache License 2"
LABEL $V="Apache License 2"
