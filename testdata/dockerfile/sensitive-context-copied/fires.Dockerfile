# context: .git/ .git/config .git/HEAD src/ src/a.c deploy/id_rsa
# content: .env API_TOKEN=q7Rw4qvTz2
# dockerignore: *.md
# expect: 6 7 8 10 11
FROM alpine:3.22
COPY . /app
ADD ./ /app/
COPY --exclude=.git . /app
COPY --exclude=.git --exclude=**/id_rsa --exclude=.env . /app
COPY ["/", "/app"]
ONBUILD COPY . /app
