FROM node:22
RUN npm install
RUN npm ci
RUN npm install -g serve@14 @harbour/cli@1 ./local /abs git+https://x.example/a.git#v1 x.tgz
