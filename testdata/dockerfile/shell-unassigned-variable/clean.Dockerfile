FROM debian:12
ARG version
ENV name=x
RUN tar xf "app-$version.tar" && echo "$name $VERSION ${x:-a} ${y+b} ${z:?} ${v:=1} $v"
RUN x=1 && echo "$x"; y=$y; read -r z < /a; echo "$z"
RUN for i in a b; do echo "$i"; done; while getopts ab opt; do echo "$opt"; done
RUN f() { local l="$1"; echo "$l"; g=1; }; echo "$g"
RUN deps='a b' set -x && apk add "$deps"
RUN export e; echo "$e"; echo "$b"; b=1
RUN . /etc/os-release && echo "$id"
RUN [ -n "$x" ] && echo "$x"; [ -z "$q" ] || true
RUN echo "$http_proxy $1 $@ $_"
RUN echo '$x' \$x && cat <<'E'
$x
E
RUN sh -c 'x=1; echo "$x"'
SHELL ["/bin/bash", "-c"]
RUN ((n = 1)); echo "$n"; for ((i = 0; i < 3; i++)); do echo "$i"; done; printf -v p a; echo "$p"; mapfile -t m < /a; echo "${m[@]}"
FROM mcr.microsoft.com/windows/servercore:ltsc2022
RUN powershell -Command "echo $name"
