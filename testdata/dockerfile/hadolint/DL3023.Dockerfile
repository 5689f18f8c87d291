FROM alpine:3.22 AS build
COPY --from=build /a /b
FROM build AS final
COPY --from=build /a /b
COPY --from=final /a /b
# found by hadolint: 2 5
