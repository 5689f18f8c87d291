FROM fedora:42
RUN dnf install httpd-2.4.24 && dnf clean all
RUN dnf install -y httpd-2.4.24 && dnf clean all
RUN dnf -y install httpd-2.4.24 && dnf clean all
RUN dnf install --assumeyes httpd-2.4.24 && dnf clean all
RUN microdnf install httpd-2.4.24 && microdnf clean all
RUN microdnf install -y httpd-2.4.24 && microdnf clean all
RUN dnf groupinstall tools && dnf clean all
RUN dnf localinstall a-1.rpm && dnf clean all
RUN dnf upgrade
# found by hadolint: 2 6 8 9
