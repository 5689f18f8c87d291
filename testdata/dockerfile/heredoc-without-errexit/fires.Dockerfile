# expect: 3 7 12 16 20
FROM debian:12
RUN <<EOF
apt-get update
apt-get install -y curl
EOF
RUN <<EOF
#!/bin/bash
make
make install
EOF
RUN bash <<EOF
make
make install
EOF
RUN <<-'END'
	cd /srv
	make
END
RUN <<EOF
if [ -e /x ]; then make; fi
rm -rf /x; make $(nproc)
EOF
