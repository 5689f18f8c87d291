# expect: 3 4 6
FROM alpine:3.22
RUN rm -rf /var/cache/apk/* && apk add curl
RUN apk add curl && rm -rf /tmp/*
RUN apk add git && rm -rf /var/cache/apk/* \
 && apk add curl
