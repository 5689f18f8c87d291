FROM alpine:3.22
RUN --mount=type=ssh ssh git@example.com
RUN ssh-keyscan example.com
RUN apk add vim
