FROM alpine:3.22
WORKDIR /device
WORKDIR /sys-app
WORKDIR /app/dev
