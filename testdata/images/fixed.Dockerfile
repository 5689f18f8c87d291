# The same image as vulnerable.Dockerfile, put right.
FROM registry.harbour.example/base/debian:12-slim@sha256:9f2c1d8e0b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d

RUN apt-get update \
 && apt-get install -y --no-install-recommends libhullpaint2 \
 && rm -rf /var/cache/jetsam

RUN pip install --no-cache-dir keelson==0.9.1 bilge-pump==1.0

COPY app/ /srv/app/
RUN npm prune --omit=dev

USER 10001
CMD ["node", "/srv/app/server.js"]
