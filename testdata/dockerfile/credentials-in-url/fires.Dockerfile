FROM debian:12
ARG TOKEN
RUN git clone https://bot:hunter22@git.invalid/app.git
RUN git clone https://${TOKEN}@github.com/a/b
RUN pip install --index-url https://u:$TOKEN@pypi.invalid/simple app
ADD https://bot:hunter22@files.invalid/a /a
RUN git clone https://0123456789abcdef4567cdef0123@github.com/a/b
RUN git clone https://bot:hunter22@notexample.com/a
# expect: 3 4 5 6 7 8
