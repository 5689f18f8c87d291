FROM debian:12
RUN useradd -u 1000 -m app && usermod --non-unique --uid 0 app
USER app
# expect: 3
