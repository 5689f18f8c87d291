FROM alpine:3.22
ADD ${SOURCE:-http://acme.dev/app.tar.gz} /opt/
# expect: 2
