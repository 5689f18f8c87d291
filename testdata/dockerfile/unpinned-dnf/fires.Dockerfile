# expect: 3
FROM almalinux:9
RUN dnf install -y curl bash-5.1.8
