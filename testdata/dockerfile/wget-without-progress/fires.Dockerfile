# expect: 3 4
FROM debian:12
RUN wget https://example.com/x
RUN wget -O x https://example.com/x
