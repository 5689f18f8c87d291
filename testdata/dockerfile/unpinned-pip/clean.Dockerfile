FROM python:3.13
RUN pip install -r requirements.txt
RUN pip install . && pip install flask==3.1.2 'requests>=2' ./x.whl
RUN pip install git+https://x.example/a.git@v1
RUN pip install -c pins.txt flask
