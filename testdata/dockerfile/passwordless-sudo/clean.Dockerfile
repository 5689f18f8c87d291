FROM debian:12 AS dev
RUN echo 'app ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/app
FROM debian:12
RUN echo 'app ALL=(ALL) ALL' > /etc/sudoers.d/app
RUN grep NOPASSWD /etc/sudoers || true
RUN echo NOPASSWD
