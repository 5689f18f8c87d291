# label: org.example.contact email
# expect: 6 8 11
FROM alpine:3.22
ARG V=1
ENV E="not it at all"
LABEL org.example.contact="Jane Doe"
LABEL other.key="Jane Doe" \
      org.example.contact="Jane Doe"
LABEL org.example.contact="jane@example.org"
LABEL org.example.contact=${V}
LABEL "org.example.contact"='Jane Doe'
