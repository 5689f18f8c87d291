FROM alpine:3.22
COPY ${SETTINGS:-.env} /srv/
COPY ${KEY-id_rsa} /root/.ssh/
# expect: 2 3
