FROM debian:12
RUN useradd -g 0 toor
USER toor
