# expect: 3 4 5 6 7
FROM python:3.13
RUN python3 -m pip install flask
RUN python3.13 -W ignore -Im pip install flask
RUN /opt/venv/bin/pip3.13 install flask
RUN sudo -Hu app pip install flask
RUN pypy3 -mpip install flask
