FROM debian:12
RUN printf '%b' 'app:x:0:0::/:/bin/sh\n' >> /etc/passwd
USER app
# expect: 3
