# label: team text
# label: source url
# expect: 6 7 9
FROM alpine:3.22
LABEL team=ours
LABEL team=""
LABEL team= other=""
LABEL source=$NOTHING
LABEL "source"='  '
