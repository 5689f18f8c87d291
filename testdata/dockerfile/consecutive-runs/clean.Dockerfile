FROM debian:12
RUN useradd app
USER app
RUN mkdir /app
RUN a && b && c
RUN --mount=type=cache,target=/x d
