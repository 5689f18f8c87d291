# remark: 0 1 6 2086
# remark: 1 1 1 2164
FROM debian:12
RUN echo $A
RUN cd /srv; make
