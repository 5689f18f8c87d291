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
RUN curl -fsSLO https://acme.dev/d.tgz; sha256sum d.tgz > d.sum; grep -q "$SUM" d.sum || exit 1; tar xf d.tgz
RUN curl -fsSLO https://acme.dev/c.tgz; sha256sum c.tgz | tee c.sum; grep "$SUM" c.sum || exit 1; tar xf c.tgz
RUN curl -fsSLO https://acme.dev/b.tgz; sha256sum -c b.sum > out; grep OK out || exit 1; tar xf b.tgz
RUN curl -fsSLO https://acme.dev/a.tgz; sha256sum -c a.sum; if [[ $? -ne 0 ]]; then exit 1; fi; tar xf a.tgz
RUN curl -fsSLO https://acme.dev/a1.tgz; sha256sum -c a1.sum; case $? in 0) ;; *) exit 1;; esac; tar xf a1.tgz
RUN shopt -so errexit; curl -fsSLO https://acme.dev/a2.tgz; sha256sum -c a2.sum; tar xf a2.tgz
RUN if [ "$A" = b ]; then curl -fsSLO https://acme.dev/a3.tgz && sha256sum -c a3.sum; else curl -fsSLO https://acme.dev/a4.tgz && sha256sum -c a4.sum; fi
RUN tar xf a3.tgz || tar xf a4.tgz
RUN case "$A" in b) curl -fsSLO https://acme.dev/a5.tgz; sha256sum -c a5.sum ;; *) true ;; esac
RUN tar xf a5.tgz
RUN curl -fsSLO https://acme.dev/a6.tgz && echo "$SUMS" | sha256sum -c - && tar xf a6.tgz
RUN for i in 1 2 3; do curl -fsSLO https://acme.dev/a7.tgz; sha256sum -c a7.sum || { echo bad; continue; }; tar xf a7.tgz; break; done
RUN die() { exit 1; }; curl -fsSLO https://acme.dev/a8.tgz; sha256sum -c a8.sum || { echo bad; die; }; tar xf a8.tgz
RUN trap 'exit 1' ERR; curl -fsSLO https://acme.dev/a9.tgz; sha256sum -c a9.sum; tar xf a9.tgz
RUN curl -fsSLO https://acme.dev/b1.tgz; sha256sum b1.tgz > b1.sum; cat b1.sum | grep "$SUM" || exit 1; tar xf b1.tgz
RUN curl -fsSLO https://acme.dev/b2.tgz; sha256sum b2.tgz > b2.sum; [ "$(cut -d' ' -f1 b2.sum)" = "$SUM" ] || exit 1; tar xf b2.tgz
RUN curl -fsSLO https://acme.dev/b3.tgz; sha256sum b3.tgz > b3.sum; grep "$SUM" < b3.sum || exit 1; tar xf b3.tgz
RUN curl -fsSLO https://acme.dev/b4.tgz; sha256sum b4.tgz > b4.sum; read -r got _ < b4.sum; [ "$got" = "$SUM" ] || exit 1; tar xf b4.tgz
RUN curl -fsSLO https://acme.dev/b5.tgz && sha256sum b5.tgz > raw && cut -d' ' -f1 raw > got && cmp got want && tar xf b5.tgz
RUN curl -fsSLO https://acme.dev/b6.tgz; sha256sum b6.tgz > raw; mv raw got; cmp got want || exit 1; tar xf b6.tgz
RUN curl -fsSLO https://acme.dev/b7.tgz; sha256sum -c b7.sum > log 2>&1 || true; grep -q OK log || exit 1; tar xf b7.tgz
RUN curl -fsSLO https://acme.dev/b8.tgz && (sha256sum -c b8.sum || true) | grep -q OK && tar xf b8.tgz
RUN curl -fsSLO https://acme.dev/b9.tgz; export GOT="$(sha256sum b9.tgz)"; [ "$GOT" = "$SUM" ] || exit 1; tar xf b9.tgz
RUN curl -fsSLO https://acme.dev/c1.tgz && sha256sum c1.tgz | while read -r got _; do [ "$got" = "$SUM" ] || exit 1; done && tar xf c1.tgz
RUN curl -fsSLO https://acme.dev/c2.tgz && diff <(sha256sum c2.tgz) expected && tar xf c2.tgz
RUN curl -fsSLO https://acme.dev/c3.tgz && sha256sum c3.tgz | awk -v want="$SUM" '$1 != want { exit 1 }' && tar xf c3.tgz
RUN curl -fsSLO https://acme.dev/c4.tgz && sha256sum c4.tgz > "$LOG" && grep "$SUM" "$LOG" && tar xf c4.tgz
RUN cd /tmp && (curl -fsSLO https://acme.dev/c5.tgz && sha256sum -c c5.sum && tar xf c5.tgz) && rm c5.tgz
RUN curl -fsSLO https://acme.dev/c6.tgz; set -- $(sha256sum c6.tgz); [ "$1" = "$SUM" ] || exit 1; tar xf c6.tgz
RUN curl -fsSLO https://acme.dev/c7.tgz; sha256sum c7.tgz > "${LOG}"; grep "$SUM" $LOG || exit 1; tar xf c7.tgz
RUN curl -fsSLO https://acme.dev/c8.tgz && sudo test "$(sha256sum c8.tgz | cut -c-64)" = "$SUM" && tar xf c8.tgz
RUN curl -fsSLO https://acme.dev/c9.tgz && sh -c "test '$(sha256sum c9.tgz | cut -c-64)' = '$SUM'" && tar xf c9.tgz
RUN curl -fsSLO https://acme.dev/d1.tgz; env GOT="$(sha256sum d1.tgz)" ./verify.sh || exit 1; tar xf d1.tgz
RUN curl -fsSLO https://acme.dev/d2.tgz; sha256sum d2.tgz > "${TMP}/got"; grep -q "$SUM" "$TMP"/got || exit 1; tar xf d2.tgz
RUN curl -fsSLO https://acme.dev/d3.tgz; sha256sum d3.tgz > "${T}.sum"; grep -q "$SUM" "$T.sum" || exit 1; tar xf d3.tgz
RUN curl -fsSLO https://acme.dev/d4.tgz; sha256sum -c d4.sum || { rm -f d4.tgz || true; exit 1; }; tar xf d4.tgz
RUN curl -fsSLO https://acme.dev/d5.tgz; sha256sum -c d5.sum || { echo bad; [ -n "$SKIP" ] || exit 1; }; tar xf d5.tgz
RUN curl -fsSLO https://acme.dev/d6.tgz; sha256sum d6.tgz | grep "$SUM" > match; [ -s match ] || exit 1; tar xf d6.tgz
RUN curl -fsSLO https://acme.dev/d7.tgz; sha256sum -c d7.sum && echo ok > state || echo bad > state; grep -q ok state || exit 1; tar xf d7.tgz
RUN curl -fsSLO https://acme.dev/d8.tgz; printf -v got %s "$(sha256sum d8.tgz)"; [ "$got" = "$SUM" ] || exit 1; tar xf d8.tgz
RUN <<EOF
set -e
curl -fsSLO https://acme.dev/e.tgz
sha256sum -c e.sum
tar xf e.tgz
EOF
SHELL ["/bin/bash", "-c"]
RUN curl -fsSLO https://acme.dev/n.tgz && [[ "$(sha256sum n.tgz)" == "$SUM"* ]] && tar xf n.tgz
