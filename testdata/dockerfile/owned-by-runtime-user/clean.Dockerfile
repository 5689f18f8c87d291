FROM node:22 AS build
COPY --chown=node . .
USER node
FROM node:22
WORKDIR /app
COPY package.json server.js ./
COPY --chown=root:root src src
COPY --chown=app src src
COPY --chown=node . /var/lib/app/data
COPY --chown=node uploads /srv/uploads
COPY --chown=$OWNER src src
USER node
