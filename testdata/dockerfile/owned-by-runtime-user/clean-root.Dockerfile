FROM node:22
COPY --chown=root . .
COPY --chown=node src src
USER root
