# context: .git src/a.c
FROM alpine:3.22
COPY . /app
