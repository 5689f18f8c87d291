FROM alpine:3.22
RUN apk add --no-cache --allow-untrusted x.apk
RUN apk --allow-untrusted add x
# expect: 2 3
