FROM debian:12 AS base
RUN useradd -m -o -u 0 app
FROM base
USER app:app
# expect: 4
