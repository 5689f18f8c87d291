FROM alpine:3.22
RUN make
