# expect: 3 4
FROM debian:12
RUN apt-get update && apt-get install -y curl
RUN apt-get -o APT::Install-Recommends=true install curl
