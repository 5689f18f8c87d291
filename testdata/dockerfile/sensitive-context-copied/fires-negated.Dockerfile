# context: .git/ .git/config
# content: keys/a.pem -----BEGIN PRIVATE KEY-----
# dockerignore: * !keys !src
# expect: 6
FROM alpine:3.22
COPY . /app
