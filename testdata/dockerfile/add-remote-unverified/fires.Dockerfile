FROM alpine:3.22
ADD https://x.invalid/a.tgz /a
ADD https://github.com/a/b.git#v1 /b
ADD git@github.com:a/b.git /c
ADD --checksum= https://x.invalid/d.tgz /d
ADD --checksum=yes https://x.invalid/e.tgz /e
# expect: 2 3 4 5 6
