FROM scratch
COPY <<EOF /etc/passwd
app:x:0:0:app:/:/sbin/nologin
EOF
USER app
# expect: 5
