# dockerignore: Dockerfile dist *.log **/node_modules
# context: Dockerfile dist/ dist/a src/a.c
# expect: 5 6 7 8 9
FROM scratch
COPY Dockerfile .
ADD ./Dockerfile /windy
COPY src dist/a /app/
COPY ["/dist", "/app"]
COPY web/node_modules /app/
COPY src /app/
COPY --from=0 /dist /app/
