ARG MY_ARCH
FROM --platform=$BULIDPLATFORM alpine:3.22
ARG T=1
FROM --platform=linux/${MYARCH} alpine:3.22
FROM debian:$T
FROM ${IMAGE:-debian:12}
# expect: 2 4 5 6
