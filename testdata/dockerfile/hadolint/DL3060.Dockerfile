FROM node:22
RUN yarn install
RUN yarn install && yarn cache clean
RUN yarn cache clean && yarn install
RUN yarn install --frozen-lockfile
RUN --mount=type=cache,target=/root/.cache/yarn yarn install
RUN --mount=type=cache,target=/usr/local/share/.cache/yarn yarn install
RUN yarn build
RUN npm install
# found by hadolint: 2 4 5
