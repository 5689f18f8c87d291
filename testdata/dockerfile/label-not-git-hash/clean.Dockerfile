# label: org.opencontainers.image.revision hash
ARG G
FROM alpine:3.22
ARG V=x
LABEL org.opencontainers.image.revision="1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
LABEL org.opencontainers.image.revision=$V
LABEL org.opencontainers.image.revision="${UNKNOWN}"
LABEL org.opencontainers.image.revision=""
LABEL other.key="main"
LABEL $V="main"
