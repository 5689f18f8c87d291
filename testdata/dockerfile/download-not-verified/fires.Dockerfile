FROM debian:12
RUN curl -fsSLo /tmp/x.tgz https://acme.dev/x.tgz && tar xzf /tmp/x.tgz -C /usr/local
RUN curl -fsSL https://acme.dev/x.tgz | tar -xz -C /opt
RUN wget -q https://acme.dev/x.deb && dpkg -i x.deb
RUN curl -fsSLo /usr/local/bin/x https://acme.dev/x && chmod +x /usr/local/bin/x
RUN wget https://acme.dev/install.sh && sh install.sh
RUN wget -O y.zip "https://acme.dev/y-${VERSION}.zip"
RUN cd /opt && unzip /y.zip
RUN wget https://acme.dev/a.tgz && \
    wget https://acme.dev/b.tgz && \
    echo "24454f83  a.tgz" | sha256sum -c && \
    tar xf a.tgz && tar xf b.tgz
RUN curl -fsSL https://acme.dev/z.deb > z.deb && apt-get install -y ./z.deb
RUN curl -fLO https://acme.dev/w.tar.gz && tar xf w*.tar.gz
RUN curl -fsSL https://acme.dev/x.gz | gunzip > /usr/local/bin/x
RUN wget https://acme.dev/tool && mv tool /usr/local/bin/
RUN curl -fsSLO https://acme.dev/v.tgz && sha256sum v.tgz && tar xf v.tgz
RUN curl -fsSLO https://acme.dev/u.tgz && (echo "24454f83  u.tgz" | sha256sum -c - || true) && tar xf u.tgz
RUN curl -fsSLO https://acme.dev/t.tgz && openssl dgst -sha256 t.tgz >&2 && tar xf t.tgz
RUN curl -fsSLO https://acme.dev/s.tgz; echo "24454f83  s.tgz" | sha256sum -c -; tar xf s.tgz
RUN curl -fsSLO https://acme.dev/r.tgz && { sha256sum -c r.sum || echo bad; } && tar xf r.tgz
RUN curl -fsSLO https://acme.dev/q.tgz && { sha256sum -c q.sum || exit 0; } && tar xf q.tgz
RUN curl -fsSLO https://acme.dev/p.tgz && sha256sum p.tgz | cut -d' ' -f1 && tar xf p.tgz
RUN curl -fsSLO https://acme.dev/o.tgz && sha256sum -c o.sum | tee log || true; tar xf o.tgz
RUN curl -fsSLO https://acme.dev/n.tgz; sha256sum -c n.sum || { echo bad; }; tar xf n.tgz
RUN curl -fsSLO https://acme.dev/m.tgz; sha256sum -c m.sum || (exit 0); tar xf m.tgz
RUN curl -fsSLO https://acme.dev/l.tgz && { sha256sum -c l.sum || cat log; } && tar xf l.tgz
RUN curl -fsSLO https://acme.dev/k.tgz; if true; then sha256sum -c k.sum; fi; tar xf k.tgz
RUN curl -fsSLo bootstrap.tgz https://acme.dev/bootstrap.tgz; sha256sum -c bootstrap.sum; tar xf bootstrap.tgz
RUN note() { :; }; curl -fsSLO https://acme.dev/j.tgz; sha256sum -c j.sum || true; tar xf j.tgz
RUN curl -fsSLO https://acme.dev/i.tgz; sha256sum -c i.sum > log; tar xf i.tgz
RUN curl -fsSLO https://acme.dev/h.tgz; sha256sum -c h.sum > log; cat log; tar xf h.tgz
RUN curl -fsSLO https://acme.dev/g.tgz; sha256sum -c g.sum > log; rm log; tar xf g.tgz
RUN curl -fsSLO https://acme.dev/f.tgz && sha256sum f.tgz > f.sum && tar xf f.tgz
RUN curl -fsSLO https://acme.dev/e.tgz && sha256sum e.tgz | tee e.sum && tar xf e.tgz
RUN curl -fsSLO https://acme.dev/d.tgz && sha256sum d.tgz > d.sum && diff d.sum expected || true; tar xf d.tgz
RUN curl -fsSLO https://acme.dev/c.tgz; sha256sum c.tgz | grep "$SUM"; tar xf c.tgz
RUN curl -fsSLO https://acme.dev/b.tgz && openssl dgst -sha256 -out b.sum b.tgz && tar xf b.tgz
RUN curl -fsSLO https://acme.dev/a.tgz; [ "$(sha256sum a.tgz)" = "$SUM" ]; tar xf a.tgz
RUN curl -fsSLO https://acme.dev/a1.tgz && echo "$(sha256sum a1.tgz)" && tar xf a1.tgz
RUN curl -fsSLO https://acme.dev/a2.tgz && sha256sum a2.tgz | awk '{print $1}' && tar xf a2.tgz
RUN curl -fsSLO https://acme.dev/a3.tgz && sha256sum a3.tgz | sudo tee a3.sum && tar xf a3.tgz
RUN curl -fsSLO https://acme.dev/a4.tgz && sha256sum a4.tgz > a4.sum && test -s a4.sum && gzip a4.sum && tar xf a4.tgz
RUN curl -fsSLO https://acme.dev/a5.tgz && sha256sum a5.tgz > "$LOG" && tar xf a5.tgz -C "$TARGET"
RUN curl -fsSLO https://acme.dev/a6.tgz && sha256sum a6.tgz > /sums/a6.tgz && tar xf a6.tgz
RUN curl -fsSLO https://acme.dev/a7.tgz && sha256sum a7.tgz > raw && cut -d' ' -f1 raw > got && mv got /sums && tar xf a7.tgz
RUN curl -fsSLO https://acme.dev/a8.tgz; sha256sum -c a8.sum || echo bad; tar xf a8.tgz || exit 1
RUN cd /tmp && (curl -fsSLO https://acme.dev/a9.tgz; sha256sum -c a9.sum; tar xf a9.tgz) && rm a9.tgz
RUN curl -fsSLO https://acme.dev/b1.tgz && (sha256sum -c b1.sum; true) && tar xf b1.tgz
RUN curl -fsSLO https://acme.dev/b2.tgz; sha256sum -c b2.sum && echo good || echo bad; tar xf b2.tgz
RUN trap 'rm -rf /tmp/x' EXIT; curl -fsSLO https://acme.dev/b3.tgz; sha256sum -c b3.sum; tar xf b3.tgz
RUN curl -fsSLO https://acme.dev/b4.tgz && gpg --verify b4.asc b4.tgz || gpg2 --verify b4.asc b4.tgz || true; tar xf b4.tgz
RUN curl -fsSLO https://acme.dev/b5.tgz; sha256sum -c b5.sum | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat || true; tar xf b5.tgz
RUN curl -fsSLO https://acme.dev/b6.tgz; sha256sum -c b6.sum || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || ./again.sh || true; tar xf b6.tgz
RUN curl -fsSLO https://acme.dev/b7.tgz; echo "$({ :; :; :; :; :; :; :; :; :; :; :; :; :; :; :; :; :; sha256sum b7.tgz; } <<< "$(date)")"; tar xf b7.tgz
# expect: 2 3 4 5 6 7 10 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55
