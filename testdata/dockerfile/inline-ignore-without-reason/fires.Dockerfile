# ignores: with-reason security
# expect: 4 6 8 10
FROM alpine:3.22
# hadolint ignore=DL3004
RUN sudo a
# trivy:ignore:DS-0010
RUN sudo b
# plimsoll ignore=sudo-in-run until=2099-01-01
RUN sudo c
#checkov:skip=CKV_DOCKER_8
USER root
