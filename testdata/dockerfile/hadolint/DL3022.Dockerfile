FROM alpine:3.22 AS build
FROM build
COPY --from=build /a /b
COPY --from=0 /a /b
COPY --from=alpine:3.22 /a /b
COPY --from=biuld /a /b
COPY --from=docker.io/library/alpine@sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1 /a /b
COPY /a /b
# found by hadolint: 6
