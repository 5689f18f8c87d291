FROM debian:12
RUN git clone git@github.com:a/b.git
RUN git clone ssh://git@github.com/a/b
ENV DATABASE_URL=postgres://app:hunter22@localhost/db
RUN curl http://user:password@example.com/
RUN curl https://x/@scope/y:1@2
ENV B=amqp://user:pass@queue
