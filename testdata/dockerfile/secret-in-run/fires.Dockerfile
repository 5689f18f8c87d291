FROM debian:12
RUN docker login -u bot -p kz7Rw4qvT1 registry.acme.dev
RUN npm config set //registry.acme.dev/:_authToken kz7Rw4qvT1
RUN echo "//registry.acme.dev/:_authToken=kz7Rw4qvT1" > ~/.npmrc
RUN printf 'machine acme.dev login bot password kz7Rw4qvT1\n' >> /root/.netrc
RUN aws configure set aws_secret_access_key kz7Rw4qvT1
RUN curl -u bot:kz7Rw4qvT1 -O https://acme.dev/x
RUN curl -fsSL -H "Authorization: Bearer kz7Rw4qvT1" https://acme.dev/x -o x
RUN PGPASSWORD=kz7Rw4qvT1 psql -h db -c 'select 1'
RUN export DB_PASSWORD=kz7Rw4qvT1 && make
RUN mysql -uroot -pkz7Rw4qvT1 -e 'select 1'
RUN sudo mysql -e "CREATE USER a IDENTIFIED BY 'kz7Rw4qvT1'"
RUN echo kz7Rw4qvT1 | docker login -u bot --password-stdin registry.acme.dev
RUN cat > /etc/app.conf <<EOF
user=app
password=kz7Rw4qvT1
EOF
RUN ["redis-cli", "-a", "kz7Rw4qvT1", "ping"]
RUN ./install --admin-password kz7Rw4qvT1
RUN echo "mysql-server mysql-server/root_password password kz7Rw4qvT1" | debconf-set-selections
RUN sh -c "wget --password=kz7Rw4qvT1 --user=bot https://acme.dev/x"
HEALTHCHECK CMD mysqladmin ping -uroot -pkz7Rw4qvT1
# expect: 2 3 4 5 6 7 8 9 10 11 12 13 14 18 19 20 21 22
