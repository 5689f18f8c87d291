FROM debian:12
RUN useradd -l -u 1000000 app
RUN useradd --no-log-init --uid 1000000 app
RUN useradd -u 1000 app
