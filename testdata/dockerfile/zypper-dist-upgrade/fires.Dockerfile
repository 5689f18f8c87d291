# expect: 3 4
FROM opensuse/leap:15.6
RUN zypper -n dist-upgrade
RUN zypper dup -y
