FROM debian:12
ARG SOURCE
ADD rootfs.tar.xz /
ADD https://example.com/x /x
ADD --checksum=sha256:0 https://example.com/x /x
ADD ${SOURCE} /x
ADD git@example.com:a/b.git /x
COPY a /b
