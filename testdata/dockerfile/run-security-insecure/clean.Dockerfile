FROM debian:12
RUN --security=sandbox id
RUN echo --security=insecure
