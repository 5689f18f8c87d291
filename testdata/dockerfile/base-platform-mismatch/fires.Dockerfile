# base: debian:12 linux/amd64
# base: alpine:3.22 linux/arm64 - A=b
FROM --platform=linux/arm64 debian:12
FROM --platform=linux/x86_64 alpine:3.22
# expect: 3 4
