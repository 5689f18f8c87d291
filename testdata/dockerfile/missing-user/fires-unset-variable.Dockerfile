FROM alpine:3.22
USER $WHO
# expect: 2
