# expect: 3 4
FROM alpine:3.22
EXPOSE 53/UDP
EXPOSE 80/tcp 81/Tcp
