# expect: 3 4 5
FROM alpine:3.22
ONBUILD onbuild RUN make
ONBUILD FROM debian:12
ONBUILD MAINTAINER me
