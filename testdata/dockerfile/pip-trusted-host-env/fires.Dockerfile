FROM python:3.13
ENV PIP_TRUSTED_HOST=pypi.invalid
RUN PIP_TRUSTED_HOST=x.invalid pip install y
# expect: 2 3
