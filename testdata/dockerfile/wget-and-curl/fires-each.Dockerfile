# expect: 4 5 8 12 13
FROM debian:12 AS tools
RUN wget -q https://example.com/a
RUN curl -fsSO https://example.com/b
RUN wget -q https://example.com/c && tar xf c
FROM debian:12 AS both
RUN true
RUN curl -fsSO https://example.com/b || wget -q https://example.com/b
FROM debian:12 AS one
RUN wget -q https://example.com/a
FROM debian:12
ONBUILD RUN curl -fsSO https://example.com/b || sudo wget -q https://example.com/b
RUN curl -fsSO https://example.com/b
