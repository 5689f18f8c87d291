FROM node:24
RUN npm config set strict-ssl false
RUN npm c set strict-ssl=false
RUN yarn install --no-strict-ssl
RUN echo "strict-ssl=false" >> /root/.npmrc
# expect: 2 3 4 5
