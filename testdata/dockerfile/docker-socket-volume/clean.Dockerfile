FROM debian:12
VOLUME /var/lib/docker
COPY docker.sock /opt/client/docker.sock/
RUN ls /var/run/docker.sock || true
