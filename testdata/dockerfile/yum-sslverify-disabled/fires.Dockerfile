FROM rockylinux:9
RUN yum install -y --setopt=sslverify=0 curl
RUN dnf --setopt=epel.sslverify=False -y install git
RUN dnf -y --setopt sslverify=no install git
RUN yum-config-manager --save --setopt=sslverify=false
RUN dnf config-manager --save --setopt=internal.sslverify=0
RUN echo "sslverify=0" >> /etc/yum.conf
RUN printf '[a]\nbaseurl=https://repo.acme.dev/\nsslverify = 0\n' > /etc/yum.repos.d/a.repo
RUN sed -i 's/sslverify=1/sslverify=0/' /etc/yum.repos.d/a.repo
RUN cat > /etc/yum.repos.d/b.repo <<EOF
[b]
baseurl=https://repo.acme.dev/
sslverify=false
EOF
RUN echo sslverify=false | tee -a /etc/dnf/dnf.conf
# expect: 2 3 4 5 6 7 8 9 10 15
