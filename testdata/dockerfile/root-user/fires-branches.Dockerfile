FROM debian:12
RUN if test -e /srv/debug; then useradd -u 0 -o app; else useradd -u 1000 app; fi
USER app
# expect: 3
