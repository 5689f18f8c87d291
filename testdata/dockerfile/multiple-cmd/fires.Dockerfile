# expect: 4 5
FROM alpine:3.22 AS a
CMD ["x"]
CMD y
CMD ["z"]
FROM a
CMD ["w"]
