# expect: 3 5
FROM debian:12
RUN apt-get update
RUN apt-get install -y curl
RUN apk update && echo x
