# dockerignore: ** !Dockerfile
FROM scratch
COPY ./Dockerfile other .
COPY . .
