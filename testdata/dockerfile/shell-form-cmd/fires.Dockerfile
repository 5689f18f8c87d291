# expect: 3 4 5
FROM alpine:3.22
CMD server --port 80
ENTRYPOINT exec server $PORT
CMD ['server']
