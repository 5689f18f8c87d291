FROM alpine:3.22 AS build
FROM Alpine:3.22
