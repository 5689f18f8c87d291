# expect: 3 4
FROM debian:12
RUN ln -sf /bin/bash /bin/sh
RUN rm /bin/sh && ln -s bash /bin/sh
