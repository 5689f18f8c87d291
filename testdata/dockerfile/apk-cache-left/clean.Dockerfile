FROM alpine:3.22
RUN apk add --no-cache curl
RUN apk --no-cache add curl
RUN apk update
RUN apk add --no-network --virtual .run-deps so:libssl.so.3
