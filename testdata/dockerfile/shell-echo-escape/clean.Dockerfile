FROM debian:12
RUN printf 'a\nb' && echo -e "a\n" && echo -ne "a\n" && echo a\nb && echo "\d \. \$x C:\\"
RUN echo "a" | sed 's/\n//'
SHELL ["/bin/ash", "-c"]
RUN echo "a\n"
SHELL ["/bin/bash", "-c"]
RUN echo $'a\n'
