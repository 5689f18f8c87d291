FROM debian:12
RUN apt-get install -y passwd chpasswd
RUN passwd -l root
RUN usermod -p '*' app
RUN echo chpasswd
