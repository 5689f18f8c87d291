FROM rockylinux:9
RUN yum install -y --setopt=sslverify=1 curl
RUN dnf install -y --setopt=install_weak_deps=0 curl
RUN echo "sslverify=true" >> /etc/yum.conf
RUN echo "sslverify=0 is bad" > /notes
RUN sed -i 's/sslverify=0/sslverify=1/' /etc/yum.repos.d/a.repo
RUN yum install -y --setopt=sslverify=$CHECK curl
RUN yum install -y sslverify
