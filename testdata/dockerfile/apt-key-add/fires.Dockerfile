FROM debian:12
RUN curl -fsSL https://repo.acme.dev/key.asc | apt-key add -
RUN apt-key adv --keyserver keyserver.acme.dev --recv-keys 0C49F3730359A14518585931BC711F9BA15703C6
RUN curl -fsSL https://repo.acme.dev/key.asc | gpg --dearmor -o /etc/apt/trusted.gpg.d/acme.gpg
RUN curl -fsSL https://repo.acme.dev/key.asc > /etc/apt/trusted.gpg.d/acme.asc
RUN wget -qO /etc/apt/trusted.gpg.d/acme.asc https://repo.acme.dev/key.asc
RUN curl -fsSL https://repo.acme.dev/key.asc | sudo tee /etc/apt/trusted.gpg.d/acme.asc
COPY acme.gpg /etc/apt/trusted.gpg.d/
ADD https://repo.acme.dev/key.asc /etc/apt/trusted.gpg.d/acme.asc
RUN cp /tmp/acme.gpg /etc/apt/trusted.gpg.d/
# expect: 2 3 4 5 6 7 8 9 10
