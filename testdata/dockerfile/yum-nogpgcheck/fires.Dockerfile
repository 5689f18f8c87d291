FROM rockylinux:9
RUN yum install -y --nogpgcheck curl
RUN dnf --setopt=gpgcheck=0 install -y curl
RUN sed -i s/gpgcheck=1/gpgcheck=0/ /etc/yum.conf
RUN printf "[x]\nbaseurl=https://x.invalid\ngpgcheck=0\n" > /etc/yum.repos.d/x.repo
# expect: 2 3 4 5
