# expect: 3 4
FROM almalinux:9
RUN yum -y update
RUN yum upgrade -y && yum clean all
