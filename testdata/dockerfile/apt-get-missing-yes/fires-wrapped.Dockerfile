# expect: 3 4 5 6 7 8 9 10 11 12 13
FROM debian:12
RUN /usr/bin/apt-get install curl
RUN \apt-get install curl
RUN command apt-get install curl
RUN env -u B A=1 apt-get install curl
RUN sudo -E apt-get install curl
RUN sudo -Eu root -- apt-get install curl
RUN nice -n 10 ionice -c3 apt-get install curl
RUN busybox sh -c 'apt-get install curl'
RUN eatmydata -- apt-get install curl
RUN retry 5 apt-get install curl
RUN unbuffer apt-get install curl | tee log
