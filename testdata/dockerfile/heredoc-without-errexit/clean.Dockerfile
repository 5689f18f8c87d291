FROM debian:12
RUN <<EOF
set -eux
apt-get update
apt-get install -y curl
EOF
RUN <<EOF
apt-get update && apt-get install -y curl
EOF
RUN <<EOF
make $(nproc)
EOF
RUN <<EOF
#!/bin/sh -e
make
make install
EOF
RUN <<EOF
#!/usr/bin/env python3
import os
print(1)
EOF
RUN bash -euo pipefail <<EOF
make
make install
EOF
RUN python3 <<EOF
import os
print(1)
EOF
RUN cat <<EOF > /etc/x.conf
a b
c d
EOF
RUN <<EOF
make || exit 1
make install
EOF
RUN <<EOF
export A=1
echo building
make
EOF
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN <<EOF
make
make install
EOF
COPY <<EOF /run.sh
make
make install
EOF
