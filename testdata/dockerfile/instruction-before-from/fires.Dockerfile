# expect: 3 4
ARG A=1
RUN make
LABEL a=b
FROM alpine:3.22
