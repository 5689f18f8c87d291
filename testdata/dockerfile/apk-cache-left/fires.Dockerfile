# expect: 3 4
FROM alpine:3.22
RUN apk add curl
RUN apk --update add curl
