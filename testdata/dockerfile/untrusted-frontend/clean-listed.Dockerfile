# syntax=registry.acme.example/frontends/dockerfile:1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
# frontends: registry.acme.example/frontends/*
FROM alpine:3.22
