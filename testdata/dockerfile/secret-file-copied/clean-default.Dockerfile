FROM alpine:3.22
COPY ${SETTINGS:-settings.toml} /srv/
COPY ${SETTINGS:+.env} /srv/
