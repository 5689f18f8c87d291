# label: team text
FROM alpine:3.22
ARG X
LABEL team="$X"
LABEL team=${X:-}
LABEL other=""
LABEL team ours
