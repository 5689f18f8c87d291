FROM alpine:3.22
ADD ${SOURCE:-https://acme.dev/app.tar.gz} /opt/
