# expect: 3 4 5 6 9
FROM debian:12
RUN export A="$(cat /version)" && make
RUN readonly A=`cat /version`
RUN f() { local a=$(cat /version); }; f
RUN export A="$(a)" B="x$(b)"
RUN set -e; \
    export PATH="/a:$PATH"; \
    export A="$(cat /version)"; make
