FROM debian:12
RUN mkdir -p /shared && chmod g+s /shared
RUN install -d -m 2775 /srv/x
RUN chmod 2775 /srv/y
RUN chmod 1777 /tmp/x
RUN chmod u-s /bin/su && setcap -r /bin/ping
RUN chmod 0755 /usr/bin/tool
RUN chmod $MODE /x
