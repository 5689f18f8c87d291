# expect: 3
FROM node:22
RUN --mount=type=cache,target=/root/.cache/go-build yarn install
RUN --mount=type=cache,target=/usr/local/share/.cache yarn install
