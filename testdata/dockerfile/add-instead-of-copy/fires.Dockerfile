# expect: 3 4
FROM debian:12
ADD app.py /app/
ADD --chown=app ["a b", "/app/"]
