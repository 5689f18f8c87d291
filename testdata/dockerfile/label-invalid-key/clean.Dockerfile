FROM alpine:3.22
LABEL org.opencontainers.image.title=x "com.example.a-b"=y
