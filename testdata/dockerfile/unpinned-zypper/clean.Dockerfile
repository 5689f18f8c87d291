FROM opensuse/leap:15.6
RUN zypper -n install 'curl>=8' git=2 x.rpm
RUN zypper -n ref
