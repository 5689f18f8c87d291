FROM alpine:3.22
USER toor
# expect: 2
