FROM alpine:3.22
LABEL org.opencontainers.image.licenses="Apache License 2"
