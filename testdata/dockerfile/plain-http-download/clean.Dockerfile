FROM debian:12
ENV PIP_INDEX_URL=https://pypi.acme.dev/simple URL=http://acme.dev
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d http://acme.dev/x.tar.gz /tmp/
RUN curl -fsSLO http://acme.dev/x.tar.gz && echo "24454f83  x.tar.gz" | sha256sum -c -
RUN wget http://acme.dev/y.tgz http://acme.dev/y.tgz.asc && gpg --verify y.tgz.asc y.tgz
RUN echo "deb http://deb.debian.org/debian bookworm main" > /etc/apt/sources.list
RUN apk add --repository http://dl-cdn.alpinelinux.org/alpine/edge/main x
RUN curl -fsS http://localhost:8080/health && curl http://127.0.0.1/ && wget http://[::1]/x
RUN curl "http://$HOST/x" -o x
RUN pip install -i https://pypi.acme.dev/simple x
RUN sed -i 's|http://acme.dev|https://acme.dev|' /etc/x
RUN curl -H "Referer: http://acme.dev" https://acme.dev/x -o x
HEALTHCHECK CMD curl -f http://web/health
