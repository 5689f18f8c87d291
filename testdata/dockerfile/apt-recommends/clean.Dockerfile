FROM debian:12
RUN apt-get --no-install-recommends install -y curl
RUN apt-get install -y -o APT::Install-Recommends=false curl
RUN apt-get -o APT::Install-Recommends=0 install curl
