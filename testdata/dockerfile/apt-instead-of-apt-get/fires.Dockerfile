# expect: 3 4
FROM debian:12
RUN apt update && apt-get install -y curl
RUN apt search curl
