# expect: 3 4
FROM almalinux:9
RUN dnf -y install curl
RUN dnf clean all && dnf -y install curl
