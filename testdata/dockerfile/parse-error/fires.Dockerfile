FROM alpine:3.22
ENV A
FOO bar
COPY a
HEALTHCHECK --interval=5 CMD x
EXPOSE 99999
COPY --from=later /a /b
FROM a b
FROM alpine:3.22 AS later
# expect: 2 3 4 5 6 7 8
