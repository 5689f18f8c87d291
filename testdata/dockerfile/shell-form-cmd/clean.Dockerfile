FROM alpine:3.22
CMD ["server"]
ENTRYPOINT ["sh", "-c", "exec server $PORT"]
CMD
FROM alpine:3.22
SHELL ["/bin/ash", "-c"]
CMD server
