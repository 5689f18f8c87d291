# expect: 3 6
FROM debian:12
RUN curl https://example.com/x | tar x
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
FROM debian:12
RUN a | b
