FROM debian:12
RUN apt update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN apt-get update && apt install -y curl && apt-get dist-clean
