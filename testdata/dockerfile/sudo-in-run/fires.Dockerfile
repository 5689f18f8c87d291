FROM debian:12
RUN apt-get update && \
    sudo apt-get install -y curl
RUN sh -c 'sudo true'
RUN if true; then echo "$(sudo id)"; fi
# expect: 3 4 5
