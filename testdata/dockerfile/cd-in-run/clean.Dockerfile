FROM alpine:3.22
WORKDIR /srv
RUN make -C /srv
RUN echo cd /x
