# expect: 3 4 5 6 7 9
FROM debian:12
RUN rm *.tmp
RUN cp -r * /srv
RUN chmod +x ?.sh
RUN rm -f a *.c -- *.d
RUN sudo tar czf a.tgz *
RUN cd /srv && \
    rm -rf *
