FROM python:3.13
RUN pip install --trusted-host localhost x
RUN pip install --trusted-host=127.0.0.1:3141 x
RUN echo --trusted-host x
