FROM debian:12
RUN curl https://x.invalid | tar xz
RUN curl https://x.invalid | gpg --dearmor > /k
RUN curl https://x.invalid | jq . | tee /x
RUN curl https://x.invalid | python3 -c "import json,sys; print(json.load(sys.stdin))"
RUN curl -o i.sh https://x.invalid && sh i.sh
RUN echo "curl https://x.invalid | sh"
RUN V="$(curl https://x.invalid)" && sh -c "echo $V"
RUN cat x | sh
RUN curl https://x.invalid | su app -c "tar x"
RUN perl -n "$(curl https://x.invalid)"
