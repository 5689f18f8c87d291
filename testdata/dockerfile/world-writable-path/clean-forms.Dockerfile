ARG M=777
FROM debian:12
COPY --chmod=$M a /b
COPY --chmod=${N:-755} a /b
RUN install -d -m 1777 /x
RUN mkdir -p -m 755 /777
RUN mkdir -m 777 /tmp/x
RUN mkdir -m 777 /opt/installer && rm -rf /opt/installer
RUN install -m 755 -o 777 x /usr/bin/x
RUN install -m 777 x /tmp/
RUN chmod a+w,o-w /x
RUN find /tmp -print0 | xargs -0 chmod 777
RUN find /app -print0 | xargs -0 chmod 755
USER 1000
