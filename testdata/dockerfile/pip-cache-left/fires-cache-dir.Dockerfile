# expect: 3 4 5 6 8
FROM python:3.13
RUN pip install --cache-dir=/pip-cache flask
RUN --mount=type=cache,target=/root/.cache pip install --cache-dir=/pip-cache flask
RUN pip install --no-cache-dir --cache-dir=/pip-cache flask
RUN PIP_NO_CACHE_DIR=1 pip install --cache-dir=/pip-cache flask
ENV PIP_CACHE_DIR=/pip-cache
RUN --mount=type=cache,target=/other pip install flask
