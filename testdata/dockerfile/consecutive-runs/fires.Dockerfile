# expect: 4 6
FROM debian:12
RUN useradd app
RUN mkdir /app
# why
RUN mkdir /data
