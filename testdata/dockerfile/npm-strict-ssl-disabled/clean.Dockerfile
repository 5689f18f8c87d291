FROM node:24
RUN npm config set strict-ssl true
RUN npm ci
RUN echo strict-ssl=false
