FROM debian:12
RUN rm ./*.tmp && rm -- *.tmp && rm "*" '*'.c \*.c [a]* a* /srv/*
RUN echo * && printf '%s\n' *
RUN for f in *; do rm "./$f"; done
RUN [ * = x ] && case * in *) ;; esac
RUN cat < * > ?
