# expect: 3 4
FROM debian:12
RUN apt update && apt-get install -y --no-install-recommends curl && apt clean
RUN apt-get update && apt install -y curl
