# expect: 2 3
FROM --platform=linux/amd64 alpine:3.22 AS base
FROM --platform=linux/arm64/v8 alpine:3.22
