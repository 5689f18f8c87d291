FROM opensuse/leap:15.6
RUN zypper install httpd=2.4.24 && zypper clean
RUN zypper install -y httpd=2.4.24 && zypper clean
RUN zypper -n install httpd=2.4.24 && zypper clean
RUN zypper --non-interactive install httpd=2.4.24 && zypper clean
RUN zypper install --no-confirm httpd=2.4.24 && zypper clean
RUN zypper in httpd=2.4.24 && zypper clean
RUN zypper remove httpd
RUN zypper rm -y httpd
RUN zypper patch
RUN zypper refresh
# found by hadolint: 2 7 8 10
