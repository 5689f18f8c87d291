FROM alpine:3.22 AS build
from alpine:3.22 as other
From alpine:3.22 as third
