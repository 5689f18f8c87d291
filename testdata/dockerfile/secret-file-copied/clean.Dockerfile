FROM alpine:3.22
ARG NAME
COPY .env.example .env.sample /app/
COPY id_rsa.pub /root/.ssh/authorized_keys
COPY ca.pem certs/server.pem fullchain.pem /etc/ssl/
COPY docker.key /etc/apt/trusted.gpg.d/
COPY nodesource.gpg.key /tmp/
ADD https://example.org/release.key /etc/apk/keys/
COPY $NAME /app/
COPY config.json /app/config.json
COPY src/ monkey keys.go environment /app/
COPY <<EOF /app/.env
PORT=3000
EOF
