FROM debian:12
RUN --network=none id
RUN --network=default id
RUN docker run --network=host x
