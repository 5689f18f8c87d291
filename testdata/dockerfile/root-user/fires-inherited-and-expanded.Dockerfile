ARG WHO=root
FROM alpine:3.22 AS base
ARG WHO
USER ${WHO}
FROM base
CMD ["app"]
# expect: 4
