# expect: 6 7 8 9 10 11 12 15 16 17 18 19 20 21
ARG M=4755
FROM debian:12
ARG M
ENV E=u+s
COPY --chmod=$M a /b
ADD --chmod=${N:-4755} a /b
RUN install -Dm4755 x /usr/bin/x
RUN install -m4755 x /usr/bin/x
RUN install --mode=4755 x /usr/bin/x
RUN install -Dm 4755 x /usr/bin/x
RUN chmod =4755 /usr/bin/x && \
    chmod 0755 /usr/bin/y
ARG UNKNOWN
RUN chmod +4000 /usr/bin/x
RUN chmod u+x+s /usr/bin/x
RUN chmod +6000 /usr/bin/x
COPY --chmod="$E" a /b
ONBUILD COPY --chmod=$E a /b
RUN install -d -m 4755 /srv/x
RUN find /app -print0 | xargs -0 chmod u+s
USER 1000
