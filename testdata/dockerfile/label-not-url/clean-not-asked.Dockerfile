FROM alpine:3.22
LABEL org.opencontainers.image.source="github.com/acme/app"
