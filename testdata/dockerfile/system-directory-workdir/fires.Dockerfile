# expect: 4 5 6
ARG D=x
FROM alpine:3.22
WORKDIR /proc/self
WORKDIR /dev
WORKDIR /dev/shm/x
