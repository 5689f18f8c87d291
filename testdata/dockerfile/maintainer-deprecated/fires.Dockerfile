# expect: 3 4
FROM alpine:3.22
MAINTAINER harbour@example.com
maintainer The "Harbour" Office
