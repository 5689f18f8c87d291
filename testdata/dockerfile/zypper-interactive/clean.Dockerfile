FROM opensuse/leap:15.6
RUN zypper -n install curl
RUN zypper in -y curl
RUN zypper --non-interactive patch
RUN zypper ref
