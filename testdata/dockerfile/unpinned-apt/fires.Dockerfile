# expect: 3 4
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends curl git=1:2.39
RUN apt-get install -qq -t bookworm-backports golang
