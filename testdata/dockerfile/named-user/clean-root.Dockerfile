FROM alpine:3.22
USER 10001
FROM alpine:3.22
USER root
