FROM debian:12
VOLUME /var/run/docker.sock
VOLUME ["/data", "/run/containerd/containerd.sock"]
COPY a /run/docker.sock
# expect: 2 3 4
