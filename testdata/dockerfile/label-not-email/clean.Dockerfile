# label: org.example.contact email
ARG G
FROM alpine:3.22
ARG V=x
LABEL org.example.contact="jane@example.org"
LABEL org.example.contact=$V
LABEL org.example.contact="${UNKNOWN}"
LABEL org.example.contact=""
LABEL other.key="Jane Doe"
LABEL $V="Jane Doe"
