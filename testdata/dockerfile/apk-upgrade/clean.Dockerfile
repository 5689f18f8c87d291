FROM alpine:3.22
RUN apk add --upgrade openssl
RUN apk add -u openssl
