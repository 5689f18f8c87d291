FROM scratch
COPY <<group <<passwd /etc/
app:x:0:
group
app:x:0:0:app:/:/sbin/nologin
passwd
USER app
# expect: 7
