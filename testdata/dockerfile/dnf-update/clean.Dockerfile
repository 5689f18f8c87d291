FROM almalinux:9
RUN dnf update -y openssl
RUN dnf upgrade -y --security
RUN dnf install -y curl
