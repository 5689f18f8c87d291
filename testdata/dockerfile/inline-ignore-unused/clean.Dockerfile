# plimsoll ignore-file=root-user reason=gosu drops it
FROM alpine:3.22
# The rule is off, so nobody can tell.
# hadolint ignore=DL3008,DL3059
RUN apt-get update && apt-get install -y curl
# Ids without a rule here are left alone.
# hadolint ignore=SC9999
RUN a
# trivy:ignore:KSV-0001
RUN b
# No folder was given.
# plimsoll ignore=copy-of-ignored-file,sensitive-context-copied
COPY . /app
RUN a \
  # plimsoll ignore=sudo-in-run
  && sudo b
# plimsoll ignore=DL3004 until=2001-01-01 reason=its end is the policy's matter
RUN sudo c
# plimsoll: ignore=sudo-in-run until=2001-01-01 reason="its end is the policy's matter"
RUN sudo d
#plimsoll:ignore=sudo-in-run
RUN sudo e
# PLIMSOLL ignore=sudo-in-run, DL3004
RUN sudo f
# plimsoll looks at this file
USER root
