FROM debian:12
RUN wget -q --no-check-certificate https://x.invalid
RUN busybox wget --no-check-certificate https://x.invalid
# expect: 2 3
