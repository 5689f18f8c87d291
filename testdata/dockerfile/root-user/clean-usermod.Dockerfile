FROM debian:12 AS build
RUN useradd -o -u 0 app
FROM debian:12
RUN useradd -u 1001 app && usermod -u 1000 app
RUN useradd -c 'uid 0' -g 0 -G root toor && adduser app root
RUN echo 'app:x:1000:0:app:/home/app:/bin/sh' >> /etc/passwd && echo 'other:x:0:0::/:/bin/sh' | tee /tmp/passwd
USER app
