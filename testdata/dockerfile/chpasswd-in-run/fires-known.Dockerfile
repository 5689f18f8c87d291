# expect: 4 5
FROM alpine:3.22
RUN head -c 24 /dev/urandom > /seed
RUN echo "git:$(cat /run/name)" | chpasswd
RUN dd if=/dev/urandom of=/seed bs=24 count=1 && echo 'git:hunter22' | chpasswd
