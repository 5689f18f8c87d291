# expect: 3 4
FROM almalinux:9
RUN microdnf -y install curl
RUN microdnf clean all && microdnf -y install curl
