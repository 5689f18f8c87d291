# label: team text
# expect: 3
FROM alpine:3.22
ONBUILD LABEL team=ours
