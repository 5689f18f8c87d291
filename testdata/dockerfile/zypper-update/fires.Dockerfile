# expect: 3 4
FROM opensuse/leap:15.6
RUN zypper -n update
RUN zypper up -y
