FROM centos:7
RUN yum install -y httpd-2.4.24
RUN yum install -y httpd-2.4.24 && yum clean all
RUN yum clean all && yum install -y httpd-2.4.24
RUN yum install -y httpd-2.4.24 && rm -rf /var/cache/yum/*
RUN yum -y install httpd-2.4.24 && yum -y clean all
RUN yum list
# found by hadolint: 2 4
