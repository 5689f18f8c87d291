# expect: 4 10 11
FROM debian:12
RUN useradd app
RUN mkdir /app
# why
USER app
RUN a; RUN=b
RUN c && d
RUN e
RUN sudo f
RUN sh -c 'g'
RUN --mount=type=cache,target=/x h
