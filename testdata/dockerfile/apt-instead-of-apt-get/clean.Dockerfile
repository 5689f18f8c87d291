FROM debian:12
RUN apt-get update
RUN aptly x
RUN echo apt install
