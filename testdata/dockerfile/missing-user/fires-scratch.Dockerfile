FROM golang:1.25 AS build
USER app
FROM scratch
COPY --from=build /app /app
# expect: 3
