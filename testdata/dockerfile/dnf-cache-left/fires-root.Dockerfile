# expect: 3 4 5 6 7 8
FROM almalinux:9
RUN dnf --installroot /mnt install -y a
RUN dnf --installroot /mnt install -y a && dnf clean all
RUN dnf --installroot /mnt install -y a && rm -rf /var/cache/dnf
RUN --mount=type=cache,target=/var/cache/dnf dnf --installroot=/mnt install -y a
RUN dnf --setopt=cachedir=/c install -y a && dnf clean all
RUN dnf install -y a && dnf --installroot /mnt clean all
