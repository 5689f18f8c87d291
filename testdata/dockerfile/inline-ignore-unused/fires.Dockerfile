# expect: 3 5 10 12 14 16 20 22
FROM alpine:3.22
# plimsoll ignore=sudo-in-run
RUN a
# plimsoll ignore=sudo-in-rum
RUN sudo a
# hadolint ignore=DL3004,DL3000

# A blank line breaks the pragma above, so it is none; this one counts.
# hadolint ignore=DL3004,DL3000
RUN a
# trivy:ignore:DS-0010
RUN a
# plimsoll ignore=sudo-in-run until=soon
RUN sudo a
# plimsoll ignore=inline-ignore-used
RUN a
# plimsoll ignore=sudo-in-run
RUN sudo a
# check=skip=WorkdirRelativePath
RUN a
# plimsoll ignore=sudo-in-run
