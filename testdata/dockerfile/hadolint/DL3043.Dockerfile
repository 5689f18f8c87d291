FROM alpine:3.22
ONBUILD RUN true
ONBUILD FROM alpine:3.22
ONBUILD MAINTAINER somebody
ONBUILD COPY a /b
# found by hadolint: 3 4
