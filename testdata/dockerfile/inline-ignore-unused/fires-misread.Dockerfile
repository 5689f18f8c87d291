# expect: 3 5 7
FROM alpine:3.22
# plimsoll ignore sudo-in-run
RUN sudo a
# plimsoll: ignore: sudo-in-run reason=why
RUN sudo b \
  # Plimsoll Ignore = sudo-in-run
  && c
