// syntax=docker/dockerfile:1
# expect: 1
FROM alpine:3.22
