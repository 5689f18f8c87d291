FROM debian:12 AS build
COPY app.tar.gz /tmp/
FROM debian:12
COPY --from=build /tmp/x.tar.gz /tmp/
RUN tar xzf /tmp/x.tar.gz
COPY y.zip /tmp/
RUN unzip /tmp/y.zip
COPY z.tar.gz /srv/
RUN tar czf /srv/z.tar.gz /etc
RUN tar xzf /tmp/app.tar.gz
ADD w.tar.gz /opt/
