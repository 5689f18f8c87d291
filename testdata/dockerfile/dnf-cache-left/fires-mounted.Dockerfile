# expect: 3 4
FROM almalinux:9
RUN --mount=type=cache,target=/var/cache/dnf/foo dnf install -y a
RUN --mount=type=cache,target=/var/cache/dn dnf install -y a
RUN --mount=type=cache,target=/var/cache dnf install -y a
