FROM alpine:3.22
RUN echo 'app:x:0:0:app:/home/app:/bin/sh' >> /etc/passwd
USER app
# expect: 3
