FROM alpine:3.22
WORKDIR /app
COPY a.py b.py /app/
COPY a.py b.py .
COPY --chown=app a.py /app
COPY a b ${TARGET}
COPY *.py /app
