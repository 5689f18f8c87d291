FROM debian:12
USER $APP_UID
# expect: 2
