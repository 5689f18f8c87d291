# dockerignore: ** !Dockerfile !src/*.c !docs/** docs/old !web web/notes
# context: src/ src/a.c src/b.h docs/ docs/old/ web/ web/notes
# expect: 5 6 7 8 9
FROM scratch
COPY ./Dockerfile other /app/
COPY src/b.h /app/
COPY docs/old /app/
COPY lib/*.c /app/
COPY web/notes /app/
COPY docs web /app/
