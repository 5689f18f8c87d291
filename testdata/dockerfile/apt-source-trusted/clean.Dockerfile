FROM debian:12
RUN echo 'deb [signed-by=/usr/share/keyrings/x.gpg] https://repo.acme.dev/debian stable main' > /etc/apt/sources.list.d/x.list
RUN echo 'deb [trusted=no] https://repo.acme.dev/debian stable main' > /etc/apt/sources.list.d/x.list
RUN echo 'deb [trusted=$T] https://repo.acme.dev/debian stable main' > /etc/apt/sources.list.d/x.list
RUN pip install --trusted-host pypi.acme.dev x
RUN apt-get -o Acquire::AllowInsecureRepositories=false update
COPY <<EOF /srv/notes
Trusted: yes
EOF
COPY <<EOF /etc/apt/sources.list.d/x.sources
Types: deb
URIs: https://repo.acme.dev/debian
Signed-By: /usr/share/keyrings/x.gpg
EOF
