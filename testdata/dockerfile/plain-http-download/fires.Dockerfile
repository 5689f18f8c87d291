FROM debian:12
ENV PIP_INDEX_URL=http://pypi.acme.dev/simple
ADD http://acme.dev/x.tar.gz /tmp/
RUN curl -fsSL http://acme.dev/x.tar.gz | tar xz
RUN wget -q http://acme.dev/x.tar.gz
RUN pip install -i http://pypi.acme.dev/simple x
RUN npm config set registry http://npm.acme.dev/
RUN npm ci --registry=http://npm.acme.dev/
RUN gem install -s http://gems.acme.dev x
RUN yum install -y http://acme.dev/x.rpm
RUN curl -o /tmp/x http://acme.dev/x && echo "abc  /tmp/y" | sha256sum -c
RUN GOPROXY=http://go.acme.dev go build ./...
RUN curl -O "http://acme.dev/x-${VERSION}.tgz"
RUN apk add --allow-untrusted --repository http://acme.dev/alpine x
# expect: 2 3 4 5 6 7 8 9 10 11 12 13 14
