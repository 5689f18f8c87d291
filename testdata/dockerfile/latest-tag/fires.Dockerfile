ARG TAG=latest
FROM alpine:$TAG AS a
FROM debian:12
COPY --from=busybox:latest /a /a
RUN --mount=from=tools:latest,target=/x ls
# expect: 2 4 5
