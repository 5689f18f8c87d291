FROM debian:12
RUN apt-get install -y curl
RUN apt-get -qq install curl
RUN apt-get -qy install curl
RUN apt-get install --assume-yes curl
RUN apt-get update
RUN apt-get install -q=2 curl
