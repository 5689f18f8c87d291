FROM debian:12
RUN apt-get install -y --allow-unauthenticated curl
RUN apt-get -o APT::Get::AllowUnauthenticated=true install curl
RUN echo 'APT::Get::AllowUnauthenticated "1";' > /etc/apt/apt.conf.d/99x
# expect: 2 3 4
