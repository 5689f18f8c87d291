FROM debian:12
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
RUN --mount=type=secret,id=x TOKEN=$(cat /run/secrets/x) && curl -H "Authorization: Bearer $TOKEN" https://acme.dev/x -o /x
RUN --mount=type=secret,id=x cat /run/secrets/x | docker login -u bot --password-stdin registry.acme.dev
RUN --mount=type=secret,id=x --mount=type=tmpfs,target=/keys cp /run/secrets/x /keys/x && make
RUN --mount=type=secret,id=x cp /run/secrets/x /root/.npmrc && npm ci && rm -f /root/.npmrc
RUN --mount=type=secret,id=x ln -s /run/secrets/x /root/.npmrc && npm ci
RUN --mount=type=secret,id=x echo /run/secrets/x > /etc/where
RUN --mount=type=secret,id=x cat /run/secrets/x > /dev/null
RUN --mount=type=secret,id=x cp /etc/a /etc/b
RUN --mount=type=ssh git clone git@acme.dev:a/b.git /src && cp /src/a /b
RUN --mount=type=cache,target=/run/secrets cp /run/secrets/x /etc/x
RUN --mount=type=secret,id=x curl -K /run/secrets/x https://acme.dev/y > /y
RUN --mount=type=secret,id=x npm config set //registry.acme.dev/:_authToken "$(cat /run/secrets/x)" && npm ci && npm config delete //registry.acme.dev/:_authToken
RUN cp /run/secrets/x /etc/x
