# label: org.opencontainers.image.source url
ARG G
FROM alpine:3.22
ARG V=x
LABEL org.opencontainers.image.source="https://github.com/acme/app"
LABEL org.opencontainers.image.source=$V
LABEL org.opencontainers.image.source="${UNKNOWN}"
LABEL org.opencontainers.image.source=""
LABEL other.key="github.com/acme/app"
LABEL $V="github.com/acme/app"
