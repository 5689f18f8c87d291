# content: .npmrc //npm.example.org/:_authToken=q7Rw4qvTz2
# content: .env API_TOKEN=q7Rw4qvTz2
# content: tls/server.pem -----BEGIN PRIVATE KEY-----
# context: id_rsa
# expect: 7 8 9 10 11
FROM alpine:3.22
COPY .npmrc /root/
COPY ./.env /app/
COPY tls/server.pem /tls/
COPY id_rsa /root/.ssh/
COPY not-there.key /tls/
