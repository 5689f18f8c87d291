# syntax=docker/dockerfile:1
# comment
ARG A=1
FROM alpine:3.22
RUN make
