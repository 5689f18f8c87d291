FROM alpine:3.22
RUN apk add --no-cache curl
RUN apk --no-cache add curl
RUN apk update
