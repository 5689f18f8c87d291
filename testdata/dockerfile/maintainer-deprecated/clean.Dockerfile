FROM alpine:3.22
LABEL maintainer="harbour@example.com"
RUN echo MAINTAINER
