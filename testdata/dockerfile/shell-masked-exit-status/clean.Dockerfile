FROM debian:12
RUN A="$(cat /version)" && export A && make
RUN A=$(cat /version) make
RUN export A="$((1 + 1))" B="${C:-$(date)}" D=e
RUN f() { local -r a="$(cat /version)"; }; f
RUN echo 'export A=$(date)' && alias x="$(date)"
