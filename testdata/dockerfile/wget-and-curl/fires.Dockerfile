# expect: 4
FROM debian:12
RUN wget -q https://example.com/a
RUN curl -O https://example.com/b
