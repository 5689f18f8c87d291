FROM opensuse/leap:15.6
RUN zypper install -y httpd && zypper clean
RUN zypper install -y httpd=2.4.24 && zypper clean
RUN zypper install -y "httpd>=2.4" && zypper clean
RUN zypper install -y httpd\<2.5 && zypper clean
RUN zypper install -y ./a.rpm && zypper clean
RUN zypper in -y a=1 b && zypper clean
RUN zypper install -y "httpd~2.4" && zypper clean
# found by hadolint: 2 7 8
