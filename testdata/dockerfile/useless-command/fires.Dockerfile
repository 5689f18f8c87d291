# expect: 3 4
FROM alpine:3.22
RUN service nginx start
RUN ps aux
