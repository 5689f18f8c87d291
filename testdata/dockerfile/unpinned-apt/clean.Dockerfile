FROM debian:12
RUN apt-get update
RUN apt-get install -y curl=7.88.1 ./local.deb /tmp/x.deb golang/bookworm-backports
RUN echo apt-get install curl
