FROM python:3.13
RUN pip install --no-cache-dir flask
RUN --mount=type=cache,target=/root/.cache/pip pip install flask
RUN PIP_NO_CACHE_DIR=1 pip install flask
ENV PIP_NO_CACHE_DIR=1
RUN pip install flask
