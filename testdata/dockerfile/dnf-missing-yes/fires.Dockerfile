# expect: 3 4
FROM almalinux:9
RUN dnf install curl
RUN microdnf install curl
