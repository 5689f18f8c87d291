FROM rockylinux:9
RUN rpm -Uvh --nosignature x.rpm
RUN rpm --install --nodigest x.rpm
# expect: 2 3
