FROM debian:12
RUN sudo apt-get update
RUN apt-get install -y sudo=1
RUN true && sudo true
RUN echo sudo
RUN sh -c 'sudo true'
# found by hadolint: 2 4
# found by us: 2 4 6, since sh runs sudo
