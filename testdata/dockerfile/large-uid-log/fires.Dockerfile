# expect: 3 4
FROM debian:12
RUN useradd -u 1000000 app
RUN useradd --uid=123456 -m app
