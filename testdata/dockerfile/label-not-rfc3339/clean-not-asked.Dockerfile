FROM alpine:3.22
LABEL org.opencontainers.image.created="23.11.2026"
