FROM debian:12
ARG TOKEN
RUN --mount=type=secret,id=x echo "machine acme.dev login bot password $(cat /run/secrets/x)" > ~/.netrc && make && rm ~/.netrc
RUN --mount=type=secret,id=x printf 'machine %s login %s password %s\n' acme.dev bot "$(cat /run/secrets/x)" > ~/.netrc && make && rm ~/.netrc
RUN echo "db:5432:*:app:$TOKEN" > ~/.pgpass
RUN echo 'the machine needs a login and a password which nobody knows' > /etc/motd
RUN echo '{"credsStore":"ecr-login"}' > /root/.docker/config.json
RUN PASS=1 FIRST_PASS=analysis ./install
COPY <<EOF /root/.netrc
machine acme.dev login bot password ${TOKEN}
EOF
ENTRYPOINT mtproto-proxy --aes-pwd proxy-secret proxy.conf
CMD ["--db-password-file=/run/secrets/db"]
COPY <<EOF /app/settings.py
PASSWORD = os.environ["PASSWORD"]
token = get_token(request)
api_key = settings.API_KEY
secret: ENC[AES256,kz7Rw4qvT1]
EOF
