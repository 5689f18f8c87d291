FROM debian:12
ENV GIT_SSL_NO_VERIFY=1
RUN git -c http.sslVerify=false clone https://x.invalid
RUN git config --global http.sslverify false
RUN GIT_SSL_NO_VERIFY=true git clone https://x.invalid
# expect: 2 3 4 5
