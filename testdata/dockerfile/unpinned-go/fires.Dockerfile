# expect: 3 4 5
FROM golang:1.25
RUN go install example.com/tool@latest
RUN go get example.com/tool
RUN go run example.com/tool@latest -x
