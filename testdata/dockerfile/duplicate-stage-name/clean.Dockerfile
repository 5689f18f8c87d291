FROM alpine:3.22 AS build
FROM debian:12 AS final
FROM debian:12
FROM debian:12
