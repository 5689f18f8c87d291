FROM alpine:3.22
ENV MODE=production
ENV A=1 B=2
LABEL title="The harbour"
RUN env A b
