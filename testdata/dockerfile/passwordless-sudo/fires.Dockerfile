FROM debian:12
RUN echo 'app ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/app
RUN useradd dev && \
    echo 'dev ALL=(ALL) NOPASSWD:ALL' | tee -a /etc/sudoers
RUN cat <<EOF > /etc/sudoers.d/x
x ALL=(ALL) NOPASSWD: ALL
EOF
# expect: 2 4 5
