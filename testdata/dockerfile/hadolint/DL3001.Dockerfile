FROM debian:12
RUN ssh a@b
RUN vim /a
RUN shutdown now
RUN service a start
RUN ps aux
RUN free
RUN top -n1
RUN kill 1
RUN mount /a /b
RUN ifconfig
RUN nano /a
RUN apt-get install -y vim=1
RUN --mount=type=ssh ssh a@b
RUN ssh-keyscan b
# found by hadolint: 2 3 4 5 6 7 8 9 10 14
# found by us: 2 3 4 5 6 7 8 9 10, since a mounted agent is there for ssh
