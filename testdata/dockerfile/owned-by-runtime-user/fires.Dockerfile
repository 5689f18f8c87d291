FROM node:22 AS build
RUN npm ci
FROM node:22
WORKDIR /app
COPY --chown=node:node package.json server.js ./
COPY --chown=node --from=build /app/dist /app/dist
COPY --chown=node . .
USER node
# expect: 5 6 7
