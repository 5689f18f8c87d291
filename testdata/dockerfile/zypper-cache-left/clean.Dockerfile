FROM opensuse/leap:15.6
RUN zypper -n in curl && zypper clean -a
RUN zypper -n in curl && rm -rf /var/cache/zypp/*
RUN --mount=type=cache,target=/var/cache/zypp zypper -n in curl
