# expect: 3 4 5 6 7 9
FROM debian:12
RUN echo 'built for $HOME' > /etc/motd
RUN sed -i 's/$HOME/x/' /a
RUN A='$(date)' make
RUN echo '`date`'
RUN grep '${x}' /a
RUN { echo a; \
      echo '$b'; } > /x
