# expect: 3 4
FROM alpine:3.22
RUN apk add --no-cache curl git=2.49.1-r0
RUN apk --no-cache add -t .build gcc
