FROM opensuse/leap:15.6
RUN zypper install -y httpd=2.4.24
RUN zypper install -y httpd=2.4.24 && zypper clean
RUN zypper in -y httpd=2.4.24 && zypper cc
RUN zypper clean && zypper install -y httpd=2.4.24
RUN zypper refresh
RUN --mount=type=cache,target=/var/cache/zypp zypper install -y httpd=2.4.24
# found by hadolint: 2 5
