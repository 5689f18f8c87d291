# expect: 3 5
FROM alpine:3.22
run make
RUN make
User app
