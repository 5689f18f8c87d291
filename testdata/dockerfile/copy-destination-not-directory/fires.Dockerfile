# expect: 3 4
FROM alpine:3.22
COPY a.py b.py /app
COPY ["a b", "c", "/app"]
