# expect: 3 4
FROM alpine:3.22
RUN cd /srv && make
RUN make && cd x
