# label: team text
# strict-labels:
# expect: 5 6
FROM alpine:3.22
LABEL team=ours tema=ours
LABEL "other"=x
LABEL $X=y
