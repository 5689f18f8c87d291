FROM alpine:3.22
LABEL a=b
LABEL A=b
LABEL a.b-c=d
LABEL a..b=c
LABEL a--b=c
LABEL a-=c
LABEL 1a=c
LABEL com.docker.a=b
LABEL io.docker.a=b
LABEL org.dockerproject.a=b
LABEL a_b=c
LABEL a/b=c
LABEL "a b"=c
LABEL a1=b
LABEL -a=b
# found by hadolint: 3 5 6 7 8 9 10 11 14 16
