# expect: 7 10
# remark: 0 1 11 3014
# remark: 1 2 1 2034
FROM debian:12
RUN ["true"]
RUN true && \
  [ "$A" == b ]
RUN <<EOF
true
unused=1
EOF
