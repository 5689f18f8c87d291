FROM debian:12
ENV OPTS="-k -s"
RUN curl -fsSLk https://x.invalid
RUN a=1 && \
    curl --insecure https://x.invalid | tar x
RUN timeout 5 curl -k https://x.invalid
RUN bash -c "if true; then curl -k https://x.invalid; fi"
RUN curl $OPTS https://x.invalid
RUN ["curl", "-k", "https://x.invalid"]
RUN <<EOF
set -e
curl -k https://x.invalid
EOF
# expect: 3 5 6 7 8 9 12
