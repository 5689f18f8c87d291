FROM debian:12
RUN --mount=type=secret,id=npmrc cp /run/secrets/npmrc /root/.npmrc && npm ci
RUN --mount=type=secret,id=x cat /run/secrets/x > /etc/x.key
RUN --mount=type=secret,id=x,target=/tmp/key install -m600 /tmp/key /root/.ssh/id_rsa
RUN --mount=type=secret,id=x cat /run/secrets/x | base64 -d | tee /etc/x.key
RUN --mount=type=secret,id=x echo "//registry.acme.dev/:_authToken=$(cat /run/secrets/x)" > ~/.npmrc && npm ci
RUN --mount=type=secret,id=x TOKEN=$(cat /run/secrets/x) && \
    printf 'token=%s' "$TOKEN" >> "$HOME/.config"
RUN --mount=type=secret,id=x,env=TOKEN echo "token=${TOKEN}" > /etc/x.conf
RUN --mount=type=secret,id=x npm config set //registry.acme.dev/:_authToken "$(cat /run/secrets/x)" && npm ci
RUN --mount=type=secret,id=x <<EOF
cat > /etc/x.conf <<END
token=$(cat /run/secrets/x)
END
EOF
RUN --mount=type=secret,id=x dd if=/run/secrets/x of=/etc/x.key
RUN --mount=type=secret,id=x cp -r /run/secrets/ /etc/keys
# expect: 2 3 4 5 6 8 9 10 12 16 17
