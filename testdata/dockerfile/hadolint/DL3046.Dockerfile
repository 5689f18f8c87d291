FROM debian:12
RUN useradd -u 12345 a
RUN useradd -u 123456 a
RUN useradd -l -u 123456 a
RUN useradd -lu 123456 a
RUN useradd --no-log-init --uid 123456 a
RUN useradd --uid 123456 a
RUN useradd -u 0123456 a
RUN useradd a
RUN adduser -u 123456 a
# found by hadolint: 3 8
# found by us: 3 7 8, since --uid is -u
