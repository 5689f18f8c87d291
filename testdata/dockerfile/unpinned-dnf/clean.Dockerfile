FROM almalinux:9
RUN dnf install -y curl-7.76.1 ./x.rpm https://mirror.example/x.rpm
RUN dnf clean all
