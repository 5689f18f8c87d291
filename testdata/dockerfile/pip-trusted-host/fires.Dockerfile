FROM python:3.13
RUN pip install --trusted-host pypi.invalid x
RUN python -m pip install --trusted-host=pypi.invalid x
# expect: 2 3
