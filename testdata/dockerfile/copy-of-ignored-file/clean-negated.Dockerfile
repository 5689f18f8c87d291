# dockerignore: ** !Dockerfile !src/*.c !docs/** docs/old !web
# context: src/ src/a.c docs/ docs/old/
FROM scratch
COPY ./Dockerfile src /app/
COPY src/a.c src/*.c docs docs/new web/index.html /app/
COPY . .
