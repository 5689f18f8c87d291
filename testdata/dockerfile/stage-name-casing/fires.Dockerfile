# expect: 2
FROM alpine:3.22 AS Build
FROM alpine:3.22
COPY --from=Build /a /b
