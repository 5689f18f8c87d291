# expect: 2 3
FROM alpine:3.22 AS scratch
FROM alpine:3.22 AS Context
FROM alpine:3.22
