FROM debian:12
RUN command -v apt-get install
RUN sudo -E apt-get install -y curl
RUN env A=1 nice apt-get -y install curl
