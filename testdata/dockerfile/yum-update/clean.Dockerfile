FROM almalinux:9
RUN yum update -y openssl
RUN yum upgrade -y --security
RUN yum install -y curl
