FROM alpine:3.22
VOLUME /device /data/dev
VOLUME ["/system"]
