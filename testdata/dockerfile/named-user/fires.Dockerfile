# expect: 3 4
FROM alpine:3.22
USER app
USER app:1000
