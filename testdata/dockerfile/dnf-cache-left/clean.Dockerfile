FROM almalinux:9
RUN dnf -y install curl && dnf clean all
RUN exec -a x; dnf -y install curl; dnf clean all
RUN dnf -y install curl && rm -rf /var/cache/dnf/*
RUN --mount=type=cache,target=/var/cache/dnf dnf -y install curl
