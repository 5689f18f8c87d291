FROM node:22
RUN npm install express
RUN npm install express@4.1.1
RUN npm install @scope/a
RUN npm install @scope/a@1.2
RUN npm install
RUN npm ci
RUN npm install -g bower@latest
RUN npm install ./local
RUN npm install git+https://github.com/a/b.git
RUN npm install git+https://github.com/a/b.git#v1
RUN npm install a.tgz
RUN npm install --loglevel verbose express@4
RUN npm install https://example.com/a.tgz
RUN npm i express
# found by hadolint: 2 4 10
# found by us: 2 4 10 15, since i is short for install
