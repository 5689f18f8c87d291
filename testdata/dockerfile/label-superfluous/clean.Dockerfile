# label: team text
FROM alpine:3.22
LABEL team=ours tema=ours
