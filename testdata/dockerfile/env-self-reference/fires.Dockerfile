# expect: 3 4
FROM alpine:3.22
ENV ROOT=/srv BIN=$ROOT/bin
ENV A=1 B=${A:-2}
