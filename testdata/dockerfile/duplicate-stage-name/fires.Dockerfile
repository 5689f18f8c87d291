# expect: 3 4
FROM alpine:3.22 AS build
FROM debian:12 AS Build
FROM debian:12 AS build
