FROM debian:12
COPY app.tar.gz /tmp/
RUN tar xzf /tmp/app.tar.gz -C /opt && rm /tmp/app.tar.gz
COPY dist/b.tgz /tmp/c.tgz
RUN cd /tmp && tar -xf c.tgz
COPY ["d.tar", "e.txt", "/tmp/"]
RUN tar --extract --file=/tmp/d.tar
# expect: 2 4 6
