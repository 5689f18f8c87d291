# syntax=registry.acme.example/other/dockerfile:1
# frontends: registry.acme.example/frontends/*
# expect: 1
FROM alpine:3.22
