FROM almalinux:9
RUN dnf install -y curl
RUN dnf -y group install Tools
RUN dnf --assumeyes install curl
RUN dnf makecache
