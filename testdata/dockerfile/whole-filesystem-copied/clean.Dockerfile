FROM debian:12 AS build
FROM scratch
COPY --from=build /out /
COPY / /
COPY --from=build / /rootfs
