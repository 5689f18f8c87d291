# dockerignore: .* tmp
ARG X
FROM scratch AS base
COPY . .
COPY Dockerfile tmpl /foobar/
COPY --from=base /tmp /Dockerfile
ADD https://example.org/tmp /a
COPY $X /b
COPY <<tmp /c
x
tmp
