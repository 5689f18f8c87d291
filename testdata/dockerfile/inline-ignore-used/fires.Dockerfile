# check=skip=SecretsUsedInArgOrEnv
# ignores: refuse security
# expect: 1 5 7 9 11 13
# A comment of its own.
# hadolint ignore=DL3004
FROM alpine:3.22
# trivy:ignore:DS-0002
USER root
# plimsoll ignore=sudo-in-run,DL3008 reason=the host asks for it until=2099-01-01
RUN sudo a
# hadolint ignore=DL3008,DL3004 # a reason
RUN sudo b
#checkov:skip=CKV_DOCKER_8:a reason
