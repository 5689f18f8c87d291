FROM debian:12
RUN --network=host id
ONBUILD RUN --network=host id
# expect: 2 3
