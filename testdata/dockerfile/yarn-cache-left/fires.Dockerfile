# expect: 3 4
FROM node:22
RUN yarn install
RUN yarn global add serve@14
