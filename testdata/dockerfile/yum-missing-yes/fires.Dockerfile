# expect: 3 4
FROM almalinux:9
RUN yum install curl
RUN yum groupinstall Tools
