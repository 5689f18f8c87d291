FROM alpine:3.22 AS build
USER app
FROM debian:12
COPY --from=build /a /a
# expect: 3
