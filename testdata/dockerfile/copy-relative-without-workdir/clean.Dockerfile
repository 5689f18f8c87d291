FROM alpine:3.22 AS base
WORKDIR /app
COPY app.py .
FROM base
COPY app.py .
COPY a /b
COPY a $HOME/b
COPY a "/b"
ADD a b
