FROM almalinux:9
RUN yum install -y curl
RUN yum -y localinstall x.rpm
RUN yum --assumeyes install curl
RUN yum makecache
