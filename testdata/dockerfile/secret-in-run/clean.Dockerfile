FROM debian:12
ARG PASSWORD_FILE=/run/secrets/x
RUN --mount=type=secret,id=x TOKEN=$(cat /run/secrets/x) && curl -H "Authorization: Bearer $TOKEN" https://acme.dev/x -o x
RUN --mount=type=secret,id=x mysql -p"$(cat /run/secrets/x)" -e 'select 1'
RUN --mount=type=secret,id=x docker login -u bot --password-stdin registry.acme.dev < /run/secrets/x
RUN mkdir -p /srv/app && ssh -p 2222 host true && tar -p -xf x
RUN docker run -p 8080:80 x
RUN npm config set registry https://registry.acme.dev/
RUN echo "//registry.acme.dev/:_authToken=\${NPM_TOKEN}" > ~/.npmrc
RUN keytool -import -storepass changeit -file x
RUN ssh-keygen -t ed25519 -N "" -f /etc/ssh/host
RUN adduser --disabled-password app && ./x --password-file /run/secrets/x --token "$TOKEN"
RUN sed -i 's/password=secret1/password=/' /etc/x && grep -q token=abcdef /etc/x
RUN PASSWORD=/run/secrets/x TOKEN=$TOKEN make
RUN mysql --password db && psql --password
RUN echo "PermitEmptyPasswords=no" >> /etc/ssh/sshd_config
RUN buildah bud --secret id=x,src=/x .
