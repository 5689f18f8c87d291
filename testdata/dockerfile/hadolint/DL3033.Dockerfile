FROM centos:7
RUN yum install -y httpd && yum clean all
RUN yum install -y httpd-2.4.24 && yum clean all
RUN yum install -y httpd-tools && yum clean all
RUN yum install -y ./a.rpm && yum clean all
RUN yum module install -y nodejs && yum clean all
RUN yum module install -y nodejs:18 && yum clean all
RUN yum install -y a-2.4.24 b-1.2 && yum clean all
# found by hadolint: 2 4 5 6
# found by us: 2 4 6, since a file has its version
