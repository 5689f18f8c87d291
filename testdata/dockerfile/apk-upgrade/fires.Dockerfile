# expect: 3 4
FROM alpine:3.22
RUN apk update && apk upgrade
RUN apk --no-cache upgrade
