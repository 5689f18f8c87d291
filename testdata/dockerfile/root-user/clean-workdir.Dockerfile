FROM debian:12
WORKDIR /srv
RUN echo 'app:x:0:0:app:/home/app:/bin/sh' >> passwd && echo 'app:x:0:0::/:/bin/sh' | cat > /tmp/passwd
COPY <<passwd /srv/etc/
app:x:0:0:app:/:/sbin/nologin
passwd
USER app
