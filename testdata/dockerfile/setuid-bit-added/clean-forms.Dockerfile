ARG M=4755
FROM debian:12
COPY --chmod=$M a /b
ARG UNKNOWN
COPY --chmod=$UNKNOWN a /b
ARG N=0755
COPY --chmod=$N a /b
RUN install -dm2775 /srv/x && chmod g+s /srv/x
RUN install -Dm755 -o 4755 x /usr/bin/x
RUN chmod u+s,u-s /usr/bin/x
RUN chmod -6000 /usr/bin/x
USER 1000
