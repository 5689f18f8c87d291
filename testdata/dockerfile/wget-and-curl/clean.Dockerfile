FROM debian:12
RUN apt-get install -y wget curl
RUN curl https://example.com/a
FROM debian:12
RUN wget https://example.com/a
