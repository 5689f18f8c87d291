// syntax=frontends.acme.dev/dockerfile:1
# expect: 1
FROM alpine:3.22
