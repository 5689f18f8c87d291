# expect: 3
FROM debian:12
RUN apt update && apt-get clean
RUN apt-get install -y curl
