FROM debian:12
RUN usermod -l admin root
USER admin
# expect: 3
