# expect: 3 4
FROM python:3.13
RUN pip install -r requirements.txt
RUN python -m pip install flask==3.1.2
