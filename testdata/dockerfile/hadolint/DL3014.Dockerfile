FROM debian:12
RUN apt-get install curl=1
RUN apt-get install -y curl=1
RUN apt-get -y install curl=1
RUN apt-get install -yq curl=1
RUN apt-get install -qq curl=1
RUN apt-get install -q -q curl=1
RUN apt-get install -q=2 curl=1
RUN apt-get install -q curl=1
RUN apt-get install --assume-yes curl=1
RUN apt-get install --yes curl=1
RUN apt-get update && apt-get upgrade
RUN DEBIAN_FRONTEND=noninteractive apt-get install curl=1
RUN apt-get remove curl
# found by hadolint: 2 9 13
