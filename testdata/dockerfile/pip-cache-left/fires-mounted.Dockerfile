# expect: 3 4 5
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/go-build pip install flask
RUN --mount=type=cache,target=/root/.cache/pip/http pip install flask
RUN --mount=type=cache,target=/pip-cache/wheels pip install --cache-dir=/pip-cache flask
