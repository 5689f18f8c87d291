FROM alpine:3.22
LABEL org.opencontainers.image.version="v1.4"
