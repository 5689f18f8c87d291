# context: .git/ .git/config src/a.c .env.example
# content: .env PORT=3000
# content: ca/server.pem -----BEGIN CERTIFICATE-----
# dockerignore: .git
FROM alpine:3.22
COPY . /app
COPY src /app
COPY --from=0 . /app
