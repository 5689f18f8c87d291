FROM debian:12
RUN ln -sf /bin/bash /bin/sh
RUN ln -sf /bin/sh /usr/local/bin/sh
RUN ln -snf /bin/bash /bin/sh && true
RUN ln -s /a /b
RUN rm /bin/sh && ln -s bash /bin/sh
# found by hadolint: 2 3 4 6
# found by us: 2 4 6, since the first one only reads /bin/sh
