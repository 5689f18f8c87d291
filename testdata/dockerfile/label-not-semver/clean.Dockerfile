# label: org.opencontainers.image.version semver
ARG G
FROM alpine:3.22
ARG V=x
LABEL org.opencontainers.image.version="1.4.0"
LABEL org.opencontainers.image.version=$V
LABEL org.opencontainers.image.version="${UNKNOWN}"
LABEL org.opencontainers.image.version=""
LABEL other.key="v1.4"
LABEL $V="v1.4"
