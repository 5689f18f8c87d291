FROM rockylinux:9
RUN rpm -q --nosignature bash
RUN rpm -ivh x.rpm
