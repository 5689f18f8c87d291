# content: .npmrc registry=https://npm.example.org/
# content: .env PORT=3000
# content: tls/server.pem -----BEGIN CERTIFICATE-----
FROM alpine:3.22
COPY .npmrc /root/
COPY .env /app/
COPY tls/server.pem /tls/
