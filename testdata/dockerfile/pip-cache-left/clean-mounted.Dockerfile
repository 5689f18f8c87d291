FROM python:3.13
RUN --mount=type=cache,target=/pip-cache pip install --cache-dir=/pip-cache flask
RUN --mount=type=cache,target=/pip-cache pip3.13 install --cache-dir /pip-cache/wheels flask
RUN --mount=type=cache,target=/pip-cache PIP_CACHE_DIR=/pip-cache python3 -m pip install flask
RUN --mount=type=cache,target=/home/app/.cache/pip,uid=1000 pip install flask
RUN --mount=type=cache,target=/root pip install flask
RUN --mount=type=cache,target=/home/app/.cache pip install flask
RUN pip install --cache-dir /x --no-cache-dir flask
ENV PIP_CACHE_DIR=/pip-cache
RUN --mount=type=cache,target=/pip-cache pip install flask
ONBUILD RUN --mount=type=cache,target=/pip-cache pip install flask
