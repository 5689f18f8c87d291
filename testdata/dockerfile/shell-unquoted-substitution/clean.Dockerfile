FROM debian:12
RUN x=$(date) && for i in $(ls); do echo "$i"; done
RUN echo "$(date)" "a $(date) b" $((1 + 1))
RUN for i in $(seq 1 3); do touch $(seq 1 3); done
RUN $(cat /cmd) --all
RUN case $(uname) in Linux) ;; esac
RUN cat <<E
$(date)
E
SHELL ["/bin/bash", "-c"]
RUN export A=$(date); a=($(ls)); [[ $(nproc) = 2 ]]
