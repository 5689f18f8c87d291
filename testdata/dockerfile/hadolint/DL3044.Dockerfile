FROM alpine:3.22
ENV A=1 B=$A
ENV C=1
ENV D=$C
ENV C=2 E=$C
ENV PATH=/x:$PATH
ENV F=${F}:x
ENV G=1 H=${G}x
ARG I=1
ENV I=$I J=$I
ENV K="$KK" KK=2
ENV L=1 M="\$L"
ENV N=1 NN=$NNN
# found by hadolint: 2 8 11 12
# found by us: 2 8 11, since an escaped dollar is none
