# A Dockerfile with the faults that Plimsoll finds most often. Everything in it is invented.
FROM debian:latest

ENV DEPLOY_PASSWORD=tr0ub4dor-and-3

RUN apt-get update \
 && apt-get install -y --no-install-recommends --allow-unauthenticated libhullpaint2 \
 && rm -rf /var/cache/jetsam

RUN curl -sSfk https://get.harbour.example/install.sh | sh

RUN pip install --no-cache-dir keelson==0.9.0 bilge-pump==1.0

ADD https://files.harbour.example/charts.tar.gz /srv/charts/
COPY app/ /srv/app/
RUN npm prune --omit=dev && chmod -R 777 /srv/app

CMD ["node", "/srv/app/server.js"]
