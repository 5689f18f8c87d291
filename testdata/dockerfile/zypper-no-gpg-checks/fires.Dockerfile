FROM opensuse/leap:15
RUN zypper --no-gpg-checks install -y curl
RUN zypper in --allow-unsigned-rpm x.rpm
# expect: 2 3
