FROM debian:12
RUN chmod u+s /usr/local/bin/tool
RUN chmod 4755 /bin/x && \
    setcap cap_net_admin+ep /bin/y
COPY --chmod=4755 a /b
RUN install -m 6755 a /b
RUN setcap cap_net_bind_service=+ep /bin/z
# expect: 2 3 4 5 6 7
