FROM debian:12
ARG SUM
RUN curl -fsSLo /tmp/x.tgz https://acme.dev/x.tgz && echo "24454f83  /tmp/x.tgz" | sha256sum -c - && tar xzf /tmp/x.tgz
RUN curl -fsSLo /tmp/x.tgz https://acme.dev/x.tgz && echo "$SUM */tmp/x.tgz" | sha512sum --check && tar xzf /tmp/x.tgz
RUN wget https://acme.dev/x.tgz https://acme.dev/x.tgz.asc && gpg --batch --verify x.tgz.asc x.tgz && tar xf x.tgz
RUN wget https://acme.dev/x.tgz https://acme.dev/SHASUMS && grep x.tgz SHASUMS | sha256sum -c - && tar xf x.tgz
RUN curl -fsSLO https://acme.dev/x && cosign verify-blob --bundle x.bundle x && chmod +x x
RUN curl -fsSL https://acme.dev/data.json -o /srv/data.json && chmod 644 /srv/data.json
RUN curl -fsSL https://acme.dev/key.asc | gpg --dearmor -o /usr/share/keyrings/x.gpg
RUN curl -fsSL https://acme.dev/list.txt | grep x | tar c -T -
RUN wget http://localhost/x.tgz && tar xf x.tgz
RUN curl -fsSLo x.tgz https://acme.dev/x.tgz && test "$(sha256sum x.tgz | cut -d' ' -f1)" = "$SUM" && tar xf x.tgz
RUN curl -fsSLO https://acme.dev/y.tgz
RUN echo "24454f83  y.tgz" | sha256sum -c && tar xf y.tgz
RUN curl -fsSL https://acme.dev/x.tgz | tar tz
RUN go install example.org/x@v1.2.3 && cargo install x && npm ci
RUN tar xf other.tgz
RUN curl -fsSLO https://acme.dev/v.tgz && sha256sum v.tgz | grep -q "^$SUM " && tar xf v.tgz
RUN curl -fsSLO https://acme.dev/u.tgz && got="$(sha256sum u.tgz)" && [ "${got%% *}" = "$SUM" ] && tar xf u.tgz
RUN curl -fsSLO https://acme.dev/t.tgz && openssl dgst -sha256 -verify key.pem -signature t.sig t.tgz && tar xf t.tgz
RUN curl -fsSLO https://acme.dev/s.tgz && { echo "24454f83  s.tgz" | sha256sum -c - || exit 1; } && tar xf s.tgz
RUN curl -fsSLO https://acme.dev/r.tgz && sha256sum r.tgz > r.sum && diff r.sum expected && tar xf r.tgz
RUN curl -fsSLO https://acme.dev/q.tgz && case "$(sha256sum q.tgz)" in "$SUM"*) ;; *) exit 1 ;; esac && tar xf q.tgz
RUN curl -fsSLO https://acme.dev/p.tgz && sum() { sha256sum p.tgz; } && test "$(sum)" = "$SUM" && tar xf p.tgz
RUN curl -fsSLO https://acme.dev/o.tgz && openssl dgst -sha256 -out o.sum o.tgz && grep "$SUM" o.sum && tar xf o.tgz
RUN set -eux; curl -fsSLO https://acme.dev/m.tgz; echo "24454f83  m.tgz" | sha256sum -c -; tar xf m.tgz
RUN curl -fsSLO https://acme.dev/l.tgz; sha256sum -c l.sum || { echo bad; exit 1; }; tar xf l.tgz
RUN curl -fsSLO https://acme.dev/k.tgz; if ! sha256sum -c k.sum; then exit 1; fi; tar xf k.tgz
RUN curl -fsSLO https://acme.dev/j.tgz; sha256sum -c j.sum; if [ $? -ne 0 ]; then exit 1; fi; tar xf j.tgz
RUN curl -fsSLO https://acme.dev/i.tgz; sha256sum -c i.sum && tar xf i.tgz; rm i.tgz
RUN curl -fsSLO https://acme.dev/h.tgz; echo "24454f83  h.tgz" | sha256sum -c -
RUN tar xf h.tgz
RUN die() { echo bad; exit 1; }; curl -fsSLO https://acme.dev/g.tgz; sha256sum -c g.sum || die; tar xf g.tgz
RUN curl -fsSLO https://acme.dev/f.tgz && sha256sum f.tgz | cut -d' ' -f1 > f.sum && diff f.sum expected && tar xf f.tgz
RUN <<EOF
set -e
curl -fsSLO https://acme.dev/e.tgz
sha256sum -c e.sum
tar xf e.tgz
EOF
SHELL ["/bin/bash", "-c"]
RUN curl -fsSLO https://acme.dev/n.tgz && [[ "$(sha256sum n.tgz)" == "$SUM"* ]] && tar xf n.tgz
