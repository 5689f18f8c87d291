FROM debian:12
ENV GIT_SSL_NO_VERIFY=
RUN git config --global http.sslVerify true
RUN git clone https://x.invalid
