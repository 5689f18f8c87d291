# expect: 3 4 5 6 7 8 9 10 11 12 13 14 15 17 18
FROM debian:12
RUN install -d -m 777 /x
RUN install -dm777 /x
RUN mkdir -m 777 /x
RUN mkdir -pm777 /x
RUN install --mode=a+rwx x /usr/bin/x
RUN install -m 777 -t /usr/bin x
RUN chmod =777 /x
RUN chmod +777 /x
RUN chmod a-x+w /x
RUN chmod a+r+w /x
RUN find /app -print0 | xargs -0 chmod 777
RUN find -L /tmp /app -type d | xargs chmod a+w
RUN list-files | xargs chmod 777
ARG M=0777
COPY --chmod=$M a /b
COPY --chmod=${N:-a+w} a /b
USER 1000
