# expect: 3 4
FROM python:3.13
RUN pip3.13 install --trusted-host=x.example flask
RUN python3 -Im pip install --trusted-host x.example flask
