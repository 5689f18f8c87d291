# expect: 3 6
FROM alpine:3.22
COPY app.py .
WORKDIR /app
FROM alpine:3.22
COPY ["a", "b/"]
