FROM debian:12 AS one
ENV VERSION=1.2 FLAGS="-a -b"
ARG TARGETARCH
RUN curl -o a-$VERSION.tgz https://example.com/$VERSION/$TARGETARCH $FLAGS
RUN exit $? $# $$ ${#x}
RUN y=$x; case $x in $y) ;; esac; for i in $x; do true; done
RUN x=a.tar.gz; y=$x; z=${y}-b; rm $x $y $z
RUN x=$((1 + 2)); echo $x $((x * $x))
RUN if a; then x=1; else x=2; fi; echo $x
RUN if a; then x=1; else exit 1; fi; echo $x
RUN case "$1" in a) x=1 ;; b) x=2 ;; *) exit 1 ;; esac; echo $x
RUN for i in a b c; do echo $i; done
RUN f() { echo $x; }; x=1; f
RUN f() { x=1; }; f; echo $x
RUN x=; for i in a b; do x=$x$i; done; echo $x
RUN $CMD --all; exec $CMD; $CMD
RUN echo "$@" $@ ${x:+"$x"} "${x}"
RUN cat <<E > /a
$HOME
E
RUN CFLAGS=$HOME make
CMD java $JAVA_OPTS -jar a.jar
RUN ["echo", "$HOME"]
RUN sh -c 'echo $1' a "b c"
FROM one
RUN echo $VERSION
SHELL ["/bin/bash", "-c"]
RUN [[ $x = a ]] && a=($x) && export A=$x
FROM mcr.microsoft.com/windows/servercore:ltsc2022
RUN echo $x
