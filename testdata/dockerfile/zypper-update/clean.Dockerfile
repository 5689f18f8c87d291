FROM opensuse/leap:15.6
RUN zypper -n patch --category security
RUN zypper -n update openssl
RUN zypper -n in curl
