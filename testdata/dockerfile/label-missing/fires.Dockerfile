# label: team text
# label: source url
# expect: 6
FROM alpine:3.22 AS build
LABEL source=https://example.org/a
FROM alpine:3.22
LABEL team=ours
COPY --from=build /a /a
