# expect: 3 4 5
FROM alpine:3.22
VOLUME /dev
VOLUME ["/data", "/proc/x"]
VOLUME /data /sys/
