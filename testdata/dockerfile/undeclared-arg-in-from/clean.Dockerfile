ARG VERSION
ARG A=1 B=2
FROM --platform=$BUILDPLATFORM alpine:${VERSION:-3.22}
FROM --platform=linux/$TARGETARCH debian:$A-$B
FROM 'debian:12'
COPY $T /
