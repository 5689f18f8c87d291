# check=skip=SecretsUsedInArgOrEnv a reason
# ignores: with-reason security
FROM alpine:3.22
# hadolint ignore=DL3004 # the host asks for it
RUN sudo a
# plimsoll ignore=sudo-in-run reason=the host asks for it
RUN sudo c
#checkov:skip=CKV_DOCKER_8:gosu drops it
USER root
# hadolint ignore=DL3059
RUN b
