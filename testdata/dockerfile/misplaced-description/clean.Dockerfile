# check=skip=all;experimental=InvalidDefinitionDescription
# foo this is the foo
ARG foo=bar

# base this is the base image
FROM scratch AS base

# another comment, for what follows

ARG version=latest

# baz this is the baz
ARG foo=baz bar=qux baz=quux
#
ARG bit=bat
# hadolint ignore=DL3006
FROM debian:12 AS other
# any comment
FROM debian:12

# comment for something other than ARG or FROM
COPY Dockerfile .
