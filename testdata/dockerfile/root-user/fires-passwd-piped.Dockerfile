FROM alpine:3.22
RUN echo app:x:0:0::/:/bin/sh | cat | cat | cat | cat | cat | cat | cat | cat | cat | tee -a /etc/passwd
USER app
# expect: 3
