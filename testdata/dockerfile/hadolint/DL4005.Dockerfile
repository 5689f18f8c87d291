FROM debian:12
RUN ln -sf /bin/bash /bin/sh
RUN ln -sf /bin/sh /usr/local/bin/sh
RUN ln -snf /bin/bash /bin/sh && true
RUN ln -s /a /b
RUN rm /bin/sh && ln -s bash /bin/sh
# found by hadolint: 2 3 4 6
