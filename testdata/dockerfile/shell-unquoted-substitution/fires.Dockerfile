# expect: 3 4 5 6 7 10
FROM debian:12
RUN cp $(find / -name a.jar) /srv
RUN make -j`nproc`
RUN export A=$(date)
RUN [ $(nproc) = 2 ]
RUN echo $(seq 1 3 | tac)
RUN set -e; \
    chown -R "$(id -u)" \
      $(ls /srv) /opt
