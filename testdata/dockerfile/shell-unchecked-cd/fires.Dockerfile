# expect: 3 4 5 6 7 8 10 11
FROM debian:12
RUN cd /srv; make
RUN a && cd /srv; make
RUN (cd /srv; make)
RUN x=$(cd /srv; pwd); echo "$x"
RUN pushd /srv; popd || exit; make
RUN for d in a b; do cd "$d"; make; done
RUN if a; then \
      cd /srv; make; fi
RUN if cd /srv; make; then true; fi
