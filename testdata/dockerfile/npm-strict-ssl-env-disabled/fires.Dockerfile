FROM node:24
ENV npm_config_strict_ssl=FALSE
RUN NPM_CONFIG_STRICT_SSL=false npm ci
# expect: 2 3
