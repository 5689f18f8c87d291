FROM debian:12
RUN PASS=kz7Rw4qvT1 ./install
RUN cat > /root/.netrc <<EOF
machine acme.dev
  login bot
  password kz7Rw4qvT1
EOF
RUN echo machine acme.dev login bot password kz7Rw4qvT1 >> ~/.netrc
RUN { echo 'machine acme.dev'; echo 'password kz7Rw4qvT1'; } > /root/.netrc
RUN printf 'machine %s login %s password %s\n' acme.dev bot kz7Rw4qvT1 > /root/.netrc
RUN echo -n 'db:5432:*:app:kz7Rw4qvT1' > ~/.pgpass
RUN echo 'db:5432:*:app:kz7Rw4qvT1' | tee /root/.pgpass
RUN cat <<EOF > ~/.npmrc
registry=https://registry.acme.dev/
//registry.acme.dev/:_authToken=kz7Rw4qvT1
EOF
RUN cat > ~/.pypirc <<'EOF'
[pypi]
username = bot
password = kz7Rw4qvT1
EOF
RUN echo '{"auths":{"acme.dev":{"auth":"Ym90Omt6N1J3NHF2VDE="}}}' > /root/.docker/config.json
COPY <<EOF /root/.pgpass
db:5432:*:app:kz7Rw4qvT1
EOF
COPY <<.netrc /root/
machine acme.dev login bot password kz7Rw4qvT1
.netrc
ENTRYPOINT ["server", "--db-password=kz7Rw4qvT1"]
CMD ["--db-password=kz7Rw4qvT1"]
# expect: 2 3 8 9 10 11 12 13 17 22 23 26 29 30
