FROM rockylinux:9
RUN yum install -y curl
RUN echo gpgcheck=0
RUN printf "[x]\nrepo_gpgcheck=0\ngpgcheck=1\n" > /etc/yum.repos.d/x.repo
