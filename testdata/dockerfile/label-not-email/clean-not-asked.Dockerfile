FROM alpine:3.22
LABEL org.example.contact="Jane Doe"
