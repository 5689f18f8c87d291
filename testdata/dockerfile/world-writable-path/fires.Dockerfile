FROM debian:12
RUN chmod -R 777 /app
RUN chmod a+w /etc/app.conf
RUN find /srv -type f -exec chmod 666 {} \;
COPY --chmod=0777 a /b
# expect: 2 3 4 5
