# expect: 3
FROM debian:12
RUN apt-get update && exec apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN (exec /setup); apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
