FROM golang:1.25
RUN go install ./... && go install -ldflags '-s -w' .
RUN go install example.com/tool@v1.4.0
RUN go get ./...
RUN go run main.go example.com/x
RUN go build example.com/x
