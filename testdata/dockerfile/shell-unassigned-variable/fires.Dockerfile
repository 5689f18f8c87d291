# expect: 4 5 6 7 8 9 10 12
ARG outer=1
FROM debian:12
RUN tar xf "app-$version.tar"
RUN echo "$outer"
RUN Version=1 && echo "$version"
RUN x=1 make && echo "$x"
RUN echo $((count + 1))
RUN f() { echo "$x"; }; f
RUN eval "x=1"; echo "$x"
RUN a; \
    echo "${name#v}"
