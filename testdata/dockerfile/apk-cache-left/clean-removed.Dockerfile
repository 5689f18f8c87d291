FROM alpine:3.22
RUN apk update && apk add curl && rm -rf /var/cache/apk/*
RUN apk add curl git && make && rm -rf /var/cache/apk
RUN --mount=type=cache,target=/var/cache/apk apk add curl
RUN --mount=type=cache,target=/etc/apk/cache apk add curl
