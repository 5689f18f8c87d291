FROM centos:7
RUN yum install httpd-2.4.24 && yum clean all
RUN yum install -y httpd-2.4.24 && yum clean all
RUN yum -y install httpd-2.4.24 && yum clean all
RUN yum install --assumeyes httpd-2.4.24 && yum clean all
RUN yum install -qy httpd-2.4.24 && yum clean all
RUN yum groupinstall tools && yum clean all
RUN yum localinstall -y a-1.rpm && yum clean all
RUN yum localinstall a-1.rpm && yum clean all
RUN yum reinstall httpd-2.4.24 && yum clean all
RUN yum check-update
# found by hadolint: 2 7 9
# found by us: 2 7 9 10, since reinstall asks as well
