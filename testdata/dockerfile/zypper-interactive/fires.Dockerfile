# expect: 3 4
FROM opensuse/leap:15.6
RUN zypper install curl
RUN zypper remove curl
