FROM alpine:3.22 AS build
USER app
FROM alpine:3.22
USER app
USER 0:0
CMD ["app"]
# expect: 5
