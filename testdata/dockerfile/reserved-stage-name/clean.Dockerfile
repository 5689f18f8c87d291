FROM scratch AS empty
FROM alpine:3.22 AS contexts
