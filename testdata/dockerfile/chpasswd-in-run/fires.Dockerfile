FROM debian:12
RUN echo 'root:hunter22' | chpasswd
RUN passwd -d root
RUN useradd -p '$6$abc' app
RUN echo x | passwd --stdin app
# expect: 2 3 4 5
