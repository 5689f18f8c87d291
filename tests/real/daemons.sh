#!/usr/bin/env bash
# Reads one image out of every container engine and archive that real tools make of it, and compares with its layout.
#
#   tests/real/daemons.sh [PLIMSOLL]
#
# PLIMSOLL is the binary (default: target/debug/plimsoll). The image is testdata/images/fixed and fixed.docker.tar. Starts a dockerd (on a socket, and on
# loopback TCP with client certificates) and a `podman system service` of its own, all in a temporary folder; needs skopeo and jq, and for the engines
# root and dockerd or podman (Debian: docker.io, podman). What is not installed or does not start here is skipped and named. Exit 1 on any difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}")
name=registry.example/harbour/app:v1
. tests/real/servers.sh
for tool in skopeo jq; do has "$tool" || { skip "all container engines and archives: $tool is not installed"; exit 0; }; done
# No cache and no configuration of whoever runs this: every read is a real one.
export PLIMSOLL_CACHE_DIR=$work/cache HOME=$work/home DOCKER_CONFIG=$work/home/.docker
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH CONTAINER_HOST XDG_RUNTIME_DIR
mkdir -p "$DOCKER_CONFIG"
run=(timeout 60 "$plimsoll")
packages() { jq -r '.packages[] | .purl' "$1" | sort; }
"${run[@]}" inventory oci:testdata/images/fixed:v1 --no-cache --output "json=$work/expected.json" || [ $? = 3 ]
packages "$work/expected.json" > "$work/expected"
[ -s "$work/expected" ] || { bad "the layout itself" "has no packages"; exit 1; }
# check NAME REFERENCE: the packages of REFERENCE (standard input is passed on) are those of the layout.
check() {
  local status=0
  rm -f "$work/out.json"
  "${run[@]}" inventory "$2" --no-cache --output "json=$work/out.json" 2> "$work/err" || status=$?
  if { [ "$status" = 0 ] || [ "$status" = 3 ]; } && packages "$work/out.json" | diff "$work/expected" - > "$work/diff"; then
    good same "$1" "$(wc -l < "$work/expected") packages, $(jq -r '.image.digest[0:19]' "$work/out.json")"
  else
    bad "$1" "exit $status"
    cat "$work/err" "$work/diff" 2> /dev/null || true
  fi
}
# complains NAME TEXT ARGUMENTS...: the run ends with exit code 2 (CODE), and says TEXT in one line of error or in one hint.
complains() {
  local name=$1 text=$2 status=0
  shift 2
  "${run[@]}" "$@" > "$work/out" 2> "$work/err" || status=$?
  if [ "$status" = "${CODE:-2}" ] && cat "$work/err" "$work/out" | grep -q -- "$text" && [ "$(wc -l < "$work/err")" -le 2 ]; then
    good says "$name" "$(cat "$work/err" "$work/out" | grep -m 1 -- "$text" | sed 's/^ *//' | cut -c 1-150)"
  else
    bad "$name" "exit $status, no '$text'"
    cat "$work/err"
  fi
}
# until_there SOCKET PID: waits for a socket as long as its process lives.
until_there() {
  for _ in $(seq 100); do
    [ -S "$1" ] && return 0
    alive "$2" || return 1
    sleep 0.2
  done
  return 1
}

check "docker-archive as committed" docker-archive:testdata/images/fixed.docker.tar
skopeo copy -q docker-archive:testdata/images/fixed.docker.tar "docker-archive:$work/skopeo.tar:$name"
skopeo copy -q docker-archive:testdata/images/fixed.docker.tar "oci-archive:$work/skopeo.oci.tar:v1"
gzip -k "$work/skopeo.tar" "$work/skopeo.oci.tar"
for file in skopeo.tar skopeo.tar.gz; do
  check "docker-archive by skopeo: $file" "docker-archive:$work/$file"
  check "docker-archive by skopeo, piped: $file" - < <(cat "$work/$file")
done
for file in skopeo.oci.tar skopeo.oci.tar.gz; do
  check "oci-archive by skopeo: $file" "oci-archive:$work/$file"
  check "oci-archive by skopeo, redirected: $file" - < "$work/$file"
done
complains "oci-archive of a docker archive" "hint: write docker-archive:$work/skopeo.tar" inventory "oci-archive:$work/skopeo.tar"
check "docker-archive of an OCI archive" "docker-archive:$work/skopeo.oci.tar"
complains "a path for a reference" "hint: write oci-archive:$work/skopeo.oci.tar.gz" inventory "$work/skopeo.oci.tar.gz"
head -c 2000 "$work/skopeo.tar.gz" > "$work/cut.tar.gz"
complains "a gzip archive cut short" "is damaged: its gzip data" inventory "docker-archive:$work/cut.tar.gz"
complains "a pipe that brings nothing" "standard input is no image archive: it is empty" inventory - < /dev/null
complains "a pipe that brings text" "standard input is no image archive: it is no tar file" inventory - < README.md

if [ "$(id -u)" != 0 ]; then
  skip "dockerd and podman: only root can start them"
  summary
  exit
fi

if has dockerd && has docker; then
  mkdir -p "$work/docker"
  tcp=()
  if has openssl && has python3; then
    certificate dockerd IP:127.0.0.1
    certificate client DNS:client clientAuth
    port=$(free_port)
    tcp=(-H "tcp://127.0.0.1:$port" --tlsverify --tlscacert "$work/certs/ca.crt" --tlscert "$work/dockerd.pem" --tlskey "$work/dockerd.key")
    mkdir -p "$work/client"
    cp "$work/certs/ca.crt" "$work/client/ca.pem" && cp "$work/client.pem" "$work/client/cert.pem" && cp "$work/client.key" "$work/client/key.pem"
  else
    skip "dockerd over TCP with certificates: openssl or python3 is not installed"
  fi
  dockerd -H "unix://$work/docker/sock" "${tcp[@]}" --data-root "$work/docker/root" --exec-root "$work/docker/exec" --pidfile "$work/docker/pid" \
    --storage-driver vfs --bridge none --iptables=false --ip-masq=false > "$work/docker/log" 2>&1 &
  pids+=($!)
  if until_there "$work/docker/sock" $! && DOCKER_HOST=unix://$work/docker/sock timeout 60 docker load -q -i "$work/skopeo.tar" > /dev/null; then
    export DOCKER_HOST=unix://$work/docker/sock
    printf '      dockerd %s\n' "$(docker version --format '{{.Server.Version}}')"
    check "docker-daemon:NAME:TAG" "docker-daemon:$name"
    check "docker-daemon:ID" "docker-daemon:$(docker images -q --no-trunc "$name")"
    check "docker save | -" - < <(docker save "$name")
    check "docker save | gzip | -" - < <(docker save "$name" | gzip)
    docker save -o "$work/docker.tar" "$name"
    check "docker-archive by docker save" "docker-archive:$work/docker.tar"
    complains "no such image" 'no such image: harbour/none in the Docker daemon' inventory docker-daemon:harbour/none
    complains "no such image, piped" 'standard input is no image archive: it is empty' inventory - < <(docker save harbour/none 2> /dev/null)
    CODE=3 complains "signatures are not there" unchecked.source verify "docker-daemon:$name" --key testdata/images/demo.pub.pem
    unset DOCKER_HOST
    docker context create socket --docker "host=unix://$work/docker/sock" > /dev/null 2>&1
    docker context create away --docker host=ssh://nobody@engine.example > /dev/null 2>&1
    docker context use socket > /dev/null 2>&1
    check "docker context use" "docker-daemon:$name"
    DOCKER_CONTEXT=away complains "a context over ssh" '(docker context `away`) as the address of the Docker daemon: ssh' inventory "docker-daemon:$name"
    DOCKER_CONTEXT=absent complains "a context that is not there" 'docker context `absent`: there is no such context' inventory "docker-daemon:$name"
    docker context use default > /dev/null 2>&1
    DOCKER_HOST=unix://$work/absent complains "a socket that is not there" 'there is no such socket' inventory "docker-daemon:$name"
    if [ ${#tcp[@]} -gt 0 ]; then
      DOCKER_HOST=tcp://127.0.0.1:$port DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$work/client check "dockerd over TCP with certificates" "docker-daemon:$name"
      docker context create tls --docker "host=tcp://127.0.0.1:$port,ca=$work/client/ca.pem,cert=$work/client/cert.pem,key=$work/client/key.pem" > /dev/null 2>&1
      DOCKER_CONTEXT=tls check "a context over TCP with certificates" "docker-daemon:$name"
      DOCKER_HOST=tcp://127.0.0.1:$port complains "the same without certificates" 'hint: set DOCKER_TLS_VERIFY=1' inventory "docker-daemon:$name"
    fi
    if has setpriv; then
      chmod 711 "$work" "$work/docker"
      chmod 660 "$work/docker/sock"
      cp "$plimsoll" "$work/plimsoll"
      run=(timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups "$work/plimsoll")
      DOCKER_HOST=unix://$work/docker/sock complains "no permission" 'permission denied' inventory "docker-daemon:$name" --no-cache
      run=(timeout 60 "$plimsoll")
    fi
  else
    skip "dockerd does not start here: $(grep -v '^time.*level=\(info\|warning\)' "$work/docker/log" | tail -n 1 | cut -c 1-200)"
  fi
else
  skip "dockerd: docker or dockerd is not installed"
fi

if has podman; then
  engine=(timeout 120 podman --root "$work/podman/root" --runroot "$work/podman/run" --tmpdir "$work/podman/tmp" --storage-driver vfs --events-backend file)
  mkdir -p "$work/podman"
  "${engine[@]:2}" system service --time 0 "unix://$work/podman/sock" > "$work/podman/log" 2>&1 &
  pids+=($!)
  if until_there "$work/podman/sock" $! && "${engine[@]}" load -q -i "$work/skopeo.tar" > "$work/podman/load" 2>&1; then
    printf '      %s\n' "$(podman --version)"
    export CONTAINER_HOST=unix://$work/podman/sock
    check "podman:NAME:TAG" "podman:$name"
    check "podman save | -" - < <(env -u CONTAINER_HOST "${engine[@]}" save -q "$name")
    check "podman save --format oci-archive | -" - < <(env -u CONTAINER_HOST "${engine[@]}" save -q --format oci-archive "$name")
    complains "no such image" 'no such image: harbour/none in the Podman daemon' inventory podman:harbour/none
    CONTAINER_HOST=unix://$work/absent complains "a socket that is not there" 'cannot reach the Podman daemon' inventory "podman:$name"
    CONTAINER_HOST=ssh://nobody@engine.example/run/podman/podman.sock complains "podman over ssh" 'hint: let podman go that way' inventory "podman:$name"
  else
    skip "podman does not run here: $(tail -q -n 1 "$work/podman/load" "$work/podman/log" 2> /dev/null | tail -n 1 | cut -c 1-200)"
  fi
else
  skip "podman is not installed"
fi
summary
