FROM debian:12
RUN apt-get -o APT::Get::AllowUnauthenticated=false install curl
RUN echo --allow-unauthenticated
