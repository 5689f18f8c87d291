# expect: 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 24 27 29
FROM debian:12
RUN rm -rf $unknown
RUN file=$(ls | head -n 1) && rm /srv/$file
RUN echo a > $HOME/.profile
RUN x="a b"; touch $x
RUN [ $1 = a ] && true
RUN a && x=1 && echo $x
RUN if a; then x=1; fi; echo $x
RUN for f in *.c; do echo $f; done
RUN while read -r line; do echo $line; done < list
RUN x=1; for i in a b; do echo $x; x=$(date); done
RUN f() { echo $x; }; x="a b"; f
RUN export A=$HOME/x
RUN echo ${x%.*} ${x:-a}
RUN echo "$(cat $HOME/a)"
RUN echo a | (read x; echo $x)
RUN (x=1); echo $x
RUN x=1; unset x; echo $x
RUN set -eux; \
    dir=/tmp/a; \
    arch="$(dpkg --print-architecture)"; \
    curl -o a.tgz "https://example.com/$arch" && \
    tar xf a.tgz -C $dir && rm a-$arch
RUN <<EOF
cd /tmp
rm $HOME/a
EOF
ONBUILD RUN rm $HOME/a
