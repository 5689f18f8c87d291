FROM alpine:3.22
ADD ${SOURCE:-app.tar.gz} /opt/
ADD ${SOURCE} /opt/
