# expect: 3 4 5
FROM almalinux:9
RUN dnf -y update
RUN dnf upgrade -y && dnf clean all
RUN microdnf update
