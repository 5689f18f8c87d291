# expect: 3 4 5 6
FROM alpine:3.22
LABEL com.docker.harbour=x
LABEL Title=x
LABEL a..b=x
LABEL "with blank"=x
