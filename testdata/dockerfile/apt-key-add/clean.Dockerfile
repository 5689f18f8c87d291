FROM debian:12
RUN curl -fsSL https://repo.acme.dev/key.asc -o /usr/share/keyrings/acme.asc
RUN curl -fsSL https://repo.acme.dev/key.asc | gpg --dearmor -o /etc/apt/keyrings/acme.gpg
RUN apt-key list
RUN apt-key --keyring /usr/share/keyrings/acme.gpg add /tmp/acme.asc
RUN rm -f /etc/apt/trusted.gpg.d/acme.gpg && apt-key del 0C49F373
RUN echo apt-key add
