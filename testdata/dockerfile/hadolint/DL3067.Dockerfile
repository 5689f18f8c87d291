FROM alpine:3.22 AS build
FROM scratch
COPY --from=build / /
COPY --from=build /a /
COPY --from=0 / /
COPY --from=build / /root
COPY / /
# found by hadolint: 3 5
