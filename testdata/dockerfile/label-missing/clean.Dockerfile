# label: team text
# label: source url
FROM alpine:3.22 AS base
LABEL source=https://example.org/a
FROM alpine:3.22 AS tools
FROM base
LABEL "team"=ours
COPY --from=tools /a /a
