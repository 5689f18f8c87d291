# expect: 2 3 4
FROM alpine:3.22 as build
from alpine:3.22 AS other
FROM alpine:3.22 As third
