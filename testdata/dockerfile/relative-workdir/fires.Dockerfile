# expect: 3 4
FROM alpine:3.22
WORKDIR app
WORKDIR "src"
