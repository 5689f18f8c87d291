FROM alpine:3.22
USER ${APP_UID:-0}
# expect: 2
