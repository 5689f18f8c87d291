FROM alpine:3.22
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://x.invalid/a /a
ADD https://github.com/a/b.git#0123456789012345678901234567890123456789 /b
ADD a.tgz /a
