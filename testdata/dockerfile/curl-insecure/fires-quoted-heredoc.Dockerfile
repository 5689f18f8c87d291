FROM alpine:3.22
RUN <<"E F"
curl -k https://x.invalid/i -o /i
E F
RUN <<-'G H'
	curl -k https://x.invalid/i -o /i
G H
# expect: 3 6
