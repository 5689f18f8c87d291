FROM alpine AS a
FROM host:5000/x/y
FROM a
COPY --from=busybox /a /a
# expect: 1 2 4
