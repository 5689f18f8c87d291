# expect: 3 4 5
FROM alpine:3.22 AS build
COPY --from=Build /a /b
COPY --from=0 /a /b
RUN --mount=from=build,target=/x ls
