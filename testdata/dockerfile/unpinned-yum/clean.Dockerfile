FROM almalinux:9
RUN yum install -y curl-7.76.1 ./x.rpm https://mirror.example/x.rpm
RUN yum clean all
