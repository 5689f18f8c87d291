FROM quay.io/a/b:1
