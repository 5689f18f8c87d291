FROM debian:12
RUN echo 'deb [trusted=yes] https://repo.acme.dev/debian stable main' > /etc/apt/sources.list.d/x.list
RUN echo "deb [ arch=amd64 trusted=yes ] http://repo.acme.dev ./" | tee /etc/apt/sources.list.d/x.list
RUN echo "deb [trusted=yes] file:/repo ./" >> /etc/apt/sources.list
RUN sed -i 's/^deb /deb [trusted=yes] /' /etc/apt/sources.list
RUN add-apt-repository "deb [arch=amd64 allow-insecure=yes] https://repo.acme.dev stable main"
RUN apt-get -o Acquire::AllowInsecureRepositories=true update
RUN apt-get update --allow-insecure-repositories
RUN echo 'Acquire::AllowInsecureRepositories "true";' > /etc/apt/apt.conf.d/99x
COPY <<EOF /etc/apt/sources.list.d/x.sources
Types: deb
URIs: https://repo.acme.dev/debian
Suites: stable
Trusted: yes
EOF
RUN cat > /etc/apt/sources.list.d/y.list <<EOF
deb [trusted=yes] https://repo.acme.dev/y stable main
EOF
# expect: 2 3 4 5 6 7 8 9 10 16
