FROM debian:12
WORKDIR /etc
RUN echo 'app:x:0:0:app:/home/app:/bin/sh' >> passwd
USER app
# expect: 4
