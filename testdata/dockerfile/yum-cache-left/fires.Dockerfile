# expect: 3 4
FROM almalinux:9
RUN yum -y install curl
RUN yum clean all && yum -y install curl
