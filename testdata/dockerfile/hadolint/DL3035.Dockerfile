FROM opensuse/leap:15.6
RUN zypper dist-upgrade -y
RUN zypper dup -y
RUN zypper -n dup
RUN zypper -n up
# found by hadolint: 2 3 4
