FROM alpine:3.22 AS a
CMD ["x"]
ONBUILD CMD ["y"]
FROM a
CMD ["w"]
