# expect: 4
from alpine:3.22
run make
USER app
