FROM alpine:3.22
ADD https://x.invalid/a.tgz /a
ADD https://github.com/a/b.git#v1 /b
ADD git@github.com:a/b.git /c
# expect: 2 3 4
