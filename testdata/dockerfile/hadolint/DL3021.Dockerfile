FROM alpine:3.22
COPY a b /c
COPY a b /c/
COPY a /c
COPY ["a", "b", "/c"]
COPY ["a", "b", "/c/"]
COPY --chown=1:1 a /c
COPY --chown=1:1 a b c
COPY a* /c
COPY a b .
COPY a b "/c/"
COPY a b $DEST
# found by hadolint: 2 5 8 10 12
# found by us: 2 5 8, since . is a folder and a variable may be one
