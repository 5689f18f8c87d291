FROM almalinux:9
RUN dnf --installroot /mnt install -y a && dnf clean all --installroot=/mnt/
RUN dnf --installroot /mnt install -y a && rm -rf /mnt/var/cache/*
RUN --mount=type=cache,target=/mnt/var/cache/dnf dnf --installroot=/mnt install -y a
RUN dnf --setopt=cachedir=/c install -y a && rm -rf /c
RUN dnf --installroot / install -y a && dnf clean all
RUN --mount=type=cache,target=/c dnf --setopt=cachedir=/c install -y a
