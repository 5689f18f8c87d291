# expect: 3 4
FROM debian:12
RUN apt-get install curl
RUN apt-get -q install curl
