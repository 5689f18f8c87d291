FROM alpine:3.22
RUN apk add --no-cache curl=8.14.1-r2 'git>2' ca-certificates~=2025 ./local.apk
RUN apk add -X https://mirror.example/x --virtual .build gcc=14
