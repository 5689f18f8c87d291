FROM debian:12
RUN curl -fsSL https://x.invalid | sh
RUN curl https://x.invalid/v1.2.3/i | sudo -E bash -s -- --yes
RUN sh -c "$(curl -fsSL https://x.invalid)"
RUN bash <(curl -s https://x.invalid)
RUN wget -qO- https://x.invalid | tee /log | python3 -
RUN eval "$(wget -qO- https://x.invalid)"
RUN { curl https://x.invalid; } | bash
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN set -e && \
    curl https://x.invalid | VERSION=1 sh
RUN curl https://x.invalid | su app
RUN curl https://x.invalid | bash /proc/self/fd/0
RUN perl -e "$(curl https://x.invalid)"
RUN curl https://x.invalid | pwsh -
# expect: 2 3 4 5 6 7 8 11 12 13 14 15
