# expect: 3
FROM alpine:3.22
RUN make \

 && make install
