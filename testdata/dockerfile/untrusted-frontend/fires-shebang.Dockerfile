#!/usr/bin/env buildctl
# syntax=frontends.acme.dev/dockerfile:1
# expect: 2
FROM alpine:3.22
