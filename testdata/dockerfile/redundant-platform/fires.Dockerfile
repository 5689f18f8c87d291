# expect: 2 3
FROM --platform=$TARGETPLATFORM alpine:3.22
FROM --platform=${TARGETPLATFORM} alpine:3.22 AS x
