FROM debian:12 AS build
RUN chmod -R 777 /src
FROM debian:12
RUN chmod 1777 /srv/scratch
RUN chmod 777 /tmp
RUN chmod -R g=u /app && chmod +w /x
RUN chmod 777 /opt/installer && /opt/installer && rm /opt/installer
COPY --chmod=0755 a /b
