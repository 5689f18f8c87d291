FROM debian:12
RUN curl -o/path-k https://x.invalid
RUN curl -K config https://x.invalid
RUN curl -o -k https://x.invalid
RUN curl -k https://localhost:8443/
RUN echo curl -k
RUN apt-get install curl -k
# curl -k
COPY <<EOF /x
curl -k https://x.invalid
EOF
