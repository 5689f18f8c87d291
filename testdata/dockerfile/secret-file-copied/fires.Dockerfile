# expect: 3 4 5 6 7 8 9 10 12 13 14
FROM alpine:3.22
COPY id_rsa /root/.ssh/id_rsa
COPY .npmrc package.json ./
ADD ["certificates of ours/x", "deploy/.netrc", "/root/"]
COPY .env .
COPY config/.env.production /app/.env
COPY server.key tls/privkey.pem /etc/nginx/
COPY --chown=1:1 .docker/config.json /root/.docker/
COPY docker/netrc /root/.netrc
ARG KEY=deploy
COPY keys/${KEY}.key /keys/
COPY .ssh/ /root/.ssh/
ONBUILD COPY .env /app/
