FROM alpine:3.22
RUN sudo adduser -D -h /home/app -u 0 app
USER app
# expect: 3
