# expect: 3 4
FROM node:22
RUN npm install -g serve @harbour/cli@1.0.0
RUN npm i @harbour/cli
