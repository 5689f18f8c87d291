# expect: 4 5 11
FROM node:22 AS build
WORKDIR /src
COPY .npmrc ./
COPY .netrc /root/.netrc
RUN npm ci
FROM build AS more
RUN npm run build
FROM alpine:3.22
COPY --from=more /src/dist /app
COPY --from=build /root/.netrc /root/.netrc
