# check=experimental=InvalidDefinitionDescription
# bar this is the bar
ARG foo=bar
# BasE this is the BasE image
FROM scratch AS base
# version is the version
# definitely another comment
ARG version=latest
# definitely another comment
ARG foo=baz bar=qux baz=quux
# expect: 3 5 8 10
