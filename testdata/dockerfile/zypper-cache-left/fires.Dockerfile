# expect: 3 4
FROM opensuse/leap:15.6
RUN zypper -n in curl
RUN zypper cc && zypper -n in curl
