FROM debian:12
RUN apt-get update && apt-get install -y sudo
RUN which sudo
RUN echo "use sudo to become root"
ENTRYPOINT ["sudo", "app"]
