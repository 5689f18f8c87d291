FROM alpine:3.22
ADD ${SOURCE:-https://acme.dev/app.tar.gz} /opt/
ADD ${REPOSITORY:-https://acme.dev/app.git#main} /opt/
# expect: 2 3
