FROM debian:12
RUN cd /srv && make
RUN cd /srv || exit 1; make
RUN set -e; cd /srv; make
RUN set -eux; cd /srv; make
RUN set -o errexit; cd /srv; make
RUN (cd /srv; make) || exit 1
RUN if cd /srv; then make; fi
RUN cd ..; cd /; cd ../..; cd .
RUN { cd /srv; make; } && true
RUN make && cd /srv
RUN cd /srv
SHELL ["/bin/bash", "-euc"]
RUN cd /srv; make
SHELL ["/bin/sh", "-c"]
RUN <<EOF
#!/bin/sh -e
cd /srv
make
EOF
