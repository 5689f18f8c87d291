FROM alpine:3.22
RUN apk add --no-cache curl
RUN apk info --allow-untrusted x
RUN echo apk add --allow-untrusted
