# expect: 3 4 5
FROM python:3.13
RUN pip install flask requests==2.32
RUN python3 -m pip install --no-cache-dir -i https://x.example/simple flask
RUN pip3 install git+https://x.example/a.git
