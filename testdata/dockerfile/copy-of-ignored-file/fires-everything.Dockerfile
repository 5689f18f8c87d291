# dockerignore: *
# expect: 4
FROM scratch
COPY . .
