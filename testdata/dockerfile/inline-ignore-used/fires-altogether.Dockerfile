# ignores: refuse security correctness reproducibility size style
# expect: 4
FROM alpine:3.22
# hadolint ignore=SC9999
RUN a
