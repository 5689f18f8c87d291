FROM alpine:3.22
RUN apk add curl=1
RUN apk add --no-cache curl=1
RUN apk --no-cache add curl=1
RUN apk update && apk add curl=1 && rm -rf /var/cache/apk/*
RUN apk del curl
RUN --mount=type=cache,target=/var/cache/apk apk add curl=1
# found by hadolint: 2 5
# found by us: 2, since what is removed does not stay
