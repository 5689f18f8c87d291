# base: node:22 linux/amd64 - NODE_VERSION=22.1.0
FROM node:22
ENV A=$NODE_VERSION
ENV B=$YARN_VERSION
# expect: 4
