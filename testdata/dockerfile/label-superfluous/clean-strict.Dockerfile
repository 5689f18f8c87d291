# label: team text
# label: source url
# strict-labels:
FROM alpine:3.22
LABEL team=ours "source"=x
