# expect: 5 6
FROM debian:12 AS build
RUN make
FROM scratch
COPY --from=build / /
COPY --from=0 ["/", "/"]
