FROM debian:12
RUN wget -q https://example.com/x
RUN wget -nv https://example.com/x
RUN wget --progress=dot:giga https://example.com/x
RUN wget -qO- https://example.com/x
RUN curl https://example.com/wget
