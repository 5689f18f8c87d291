FROM alpine:3.22
RUN adduser -D git && echo "git:$(dd if=/dev/urandom bs=24 count=1 status=none | base64)" | chpasswd
RUN printf 'app:%s\n' "$(openssl rand -base64 24)" | chpasswd
RUN echo "svc:$(head -c 24 < /dev/urandom | base64)" | chpasswd
