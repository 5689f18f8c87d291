# expect: 4 5 7
FROM alpine:3.22 AS base
WORKDIR /srv
WORKDIR app
WORKDIR ./lib
FROM base
WORKDIR tool
