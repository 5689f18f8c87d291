FROM node:22 AS build
RUN yarn install
FROM node:22
RUN yarn install && yarn cache clean
RUN --mount=type=cache,target=/root/.cache/yarn yarn install
RUN yarn build
