# expect: 3 4 5
FROM alpine:3.22
ENV MODE production
LABEL title The harbour's own
ENV PATH /opt/bin:$PATH
