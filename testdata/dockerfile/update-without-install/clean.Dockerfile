FROM debian:12
RUN apt-get update && apt-get install -y curl
RUN --mount=type=cache,target=/var/lib/apt apt-get update
RUN apk add --no-cache curl
