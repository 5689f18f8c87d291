FROM alpine:3.22 AS build
RUN cp /a /b
FROM alpine:3.22
COPY --from=build /a /b
COPY --from=0 /a /b
