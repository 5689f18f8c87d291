FROM alpine:3.22
HEALTHCHECK CMD ["check"]
HEALTHCHECK --interval=5s CMD ["check", "--fast"]
HEALTHCHECK NONE
ONBUILD HEALTHCHECK CMD ["check"]
FROM alpine:3.22
SHELL ["/bin/ash", "-c"]
HEALTHCHECK CMD check || exit 1
