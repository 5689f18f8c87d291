# expect: 4 5 6
FROM alpine:3.22 AS build
FROM scratch
COPY --from=biuld /app /app
COPY --from=7 /app /app
RUN --mount=from=later,target=/x ls
FROM alpine:3.22 AS later
