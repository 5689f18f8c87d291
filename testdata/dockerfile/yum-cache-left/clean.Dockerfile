FROM almalinux:9
RUN yum -y install curl && yum clean all
RUN yum -y install curl && rm -rf /var/cache/yum/*
RUN --mount=type=cache,target=/var/cache/yum yum -y install curl
