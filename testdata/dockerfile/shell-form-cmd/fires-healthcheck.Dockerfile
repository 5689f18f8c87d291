# expect: 3 4 5 6
FROM alpine:3.22
HEALTHCHECK CMD curl -f http://localhost/ || exit 1
HEALTHCHECK --interval=5s cmd check --fast
HEALTHCHECK CMD ['check']
ONBUILD HEALTHCHECK CMD check
