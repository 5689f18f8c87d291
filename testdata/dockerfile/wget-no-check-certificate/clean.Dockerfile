FROM debian:12
RUN wget https://x.invalid
RUN wget --no-check-certificate https://127.0.0.1/x
RUN echo --no-check-certificate
