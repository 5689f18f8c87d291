# expect: 3 4 5 6 7 9
FROM debian:12
RUN echo "a=1\nb=2" > /a
RUN echo 'a\tb'
RUN echo -n "a\n"
RUN echo "\033[0m"
RUN /bin/echo a\\nb
RUN true && \
  echo "two\n"
