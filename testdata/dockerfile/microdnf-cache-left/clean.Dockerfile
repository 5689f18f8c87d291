FROM almalinux:9
RUN microdnf -y install curl && microdnf clean all
RUN microdnf -y install curl && rm -rf /var/cache/dnf/*
RUN --mount=type=cache,target=/var/cache/dnf microdnf -y install curl
