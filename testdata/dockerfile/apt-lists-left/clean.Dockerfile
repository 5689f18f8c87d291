FROM debian:12 AS build
RUN apt-get update
FROM debian:12
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
RUN apt-get update && rm -r /var/lib/apt/lists
RUN --mount=type=cache,target=/var/lib/apt apt-get update
