# expect: 3
FROM alpine:3.22
# hadolint ignore=DL3004,DL3000 # why
RUN sudo a
