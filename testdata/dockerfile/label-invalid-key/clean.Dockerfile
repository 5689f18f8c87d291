FROM alpine:3.22
LABEL org.opencontainers.image.title=x "com.example.a-b"=y
LABEL com.example.licence_terms=x "registry_image"=y
