FROM fedora:42
RUN dnf install -y a-1
RUN dnf install -y a-1 && dnf clean all
RUN dnf clean all && dnf install -y a-1
RUN microdnf install -y a-1
RUN microdnf install -y a-1 && microdnf clean all
RUN dnf install -y a-1 && rm -rf /var/cache/yum/*
RUN dnf upgrade -y
# found by hadolint: 2 4 5 8
