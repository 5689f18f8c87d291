# expect: 3 5
FROM almalinux:9
RUN dnf -y install curl && exec /setup && dnf clean all
RUN if test -e /x; then exec /setup; fi; dnf -y install curl; dnf clean all
RUN dnf -y install curl; exit 0; rm -rf /var/cache/dnf
RUN exec >/log 2>&1; dnf -y install curl; dnf clean all
