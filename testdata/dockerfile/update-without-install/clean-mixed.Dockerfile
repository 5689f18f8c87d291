FROM debian:12
RUN apt update && apt-get install -y curl
RUN apt-get update && apt install -y curl
RUN aptitude update && apt-get install -y curl
