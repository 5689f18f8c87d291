FROM alpine:3.22
RUN make \
 # why
 && make install

RUN <<EOF
make

make install
EOF
