FROM python:3.13
ENV PIP_TRUSTED_HOST=
ENV PIP_INDEX_URL=https://pypi.invalid
