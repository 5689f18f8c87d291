# syntax=docker/dockerfile:1-labs
FROM debian:12 AS build
RUN --security=insecure mount
FROM scratch
COPY --from=build /a /a
# expect: 3
