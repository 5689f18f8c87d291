#!/usr/bin/env bash
# Reads one image out of every container engine and archive that real tools make of it, and compares with its layout.
#
#   tests/real/daemons.sh [PLIMSOLL]
#
# PLIMSOLL is the binary (default: target/debug/plimsoll). The image is testdata/images/fixed and fixed.docker.tar. Starts a dockerd and a `podman system
# service` of its own, each on a socket in a temporary folder; needs root, skopeo, jq, and dockerd or podman (Debian: docker.io, podman).
# An engine that is not installed or does not start here is skipped and named. Exit 1 on any difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=${1:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}
name=registry.example/harbour/app:v1
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null && wait "$pid" 2> /dev/null || true; done
  umount "$work"/docker/root/*/* "$work"/docker/root/* 2> /dev/null || true
  rm -rf "$work"
}
trap finish EXIT
failed=0
packages() { jq -r '.packages[] | .purl' "$1" | sort; }
"$plimsoll" inventory oci:testdata/images/fixed:v1 --output "json=$work/expected.json" || [ $? != 2 ]
packages "$work/expected.json" > "$work/expected"
# check NAME REFERENCE: the packages of REFERENCE (standard input is passed on) are those of the layout.
check() {
  local status=0
  "$plimsoll" inventory "$2" --output "json=$work/out.json" 2> "$work/err" || status=$?
  if [ "$status" != 2 ] && packages "$work/out.json" | diff "$work/expected" - > "$work/diff"; then
    printf 'same  %-44s %s packages, %s\n' "$1" "$(wc -l < "$work/expected")" "$(jq -r '.image.digest[0:19]' "$work/out.json")"
  else
    failed=1
    printf 'DIFF  %s\n' "$1"
    cat "$work/err" "$work/diff" 2> /dev/null || true
  fi
}
# complains NAME CODE TEXT ARGUMENTS...: the run ends with CODE and says TEXT.
complains() {
  local name=$1 code=$2 text=$3 status=0
  shift 3
  "$plimsoll" "$@" > "$work/err" 2>&1 || status=$?
  if [ "$status" = "$code" ] && grep -q "$text" "$work/err"; then
    printf 'says  %-44s %s\n' "$name" "$(grep -m1 "$text" "$work/err")"
  else
    failed=1
    printf 'DIFF  %s: exit %s\n' "$name" "$status"
    cat "$work/err"
  fi
}
# until_there SOCKET PID: waits for a socket as long as its process lives.
until_there() {
  for _ in $(seq 100); do
    [ -S "$1" ] && return 0
    kill -0 "$2" 2> /dev/null || return 1
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

if command -v dockerd > /dev/null; then
  mkdir -p "$work/docker"
  dockerd -H "unix://$work/docker/sock" --data-root "$work/docker/root" --exec-root "$work/docker/exec" --pidfile "$work/docker/pid" \
    --storage-driver vfs --bridge none --iptables=false --ip-masq=false > "$work/docker/log" 2>&1 &
  pids+=($!)
  if until_there "$work/docker/sock" $! && DOCKER_HOST=unix://$work/docker/sock docker load -q -i "$work/skopeo.tar" > /dev/null; then
    export DOCKER_HOST=unix://$work/docker/sock
    printf '      dockerd %s\n' "$(docker version --format '{{.Server.Version}}')"
    check "docker-daemon:NAME:TAG" "docker-daemon:$name"
    check "docker-daemon:ID" "docker-daemon:$(docker images -q --no-trunc "$name")"
    check "docker save | -" - < <(docker save "$name")
    check "docker save | gzip | -" - < <(docker save "$name" | gzip)
    docker save -o "$work/docker.tar" "$name"
    check "docker-archive by docker save" "docker-archive:$work/docker.tar"
    complains "no such image" 2 'no such image: harbour/none in the Docker daemon' inventory docker-daemon:harbour/none
    complains "signatures are not there" 3 unchecked.source verify "docker-daemon:$name" --key testdata/images/demo.pub.pem
    if command -v setpriv > /dev/null; then
      chmod 711 "$work" "$work/docker"
      chmod 660 "$work/docker/sock"
      cp "$plimsoll" "$work/plimsoll"
      plimsoll=setpriv complains "no permission" 2 'permission denied' --reuid 65534 --regid 65534 --clear-groups "$work/plimsoll" inventory "docker-daemon:$name"
    fi
    unset DOCKER_HOST
  else
    printf 'skip  dockerd does not start here: %s\n' "$(tail -n 1 "$work/docker/log" | cut -c 1-200)"
  fi
else
  echo 'skip  dockerd is not installed'
fi

if command -v podman > /dev/null; then
  engine=(podman --root "$work/podman/root" --runroot "$work/podman/run" --tmpdir "$work/podman/tmp" --storage-driver vfs --events-backend file)
  mkdir -p "$work/podman"
  "${engine[@]}" system service --time 0 "unix://$work/podman/sock" > "$work/podman/log" 2>&1 &
  pids+=($!)
  if until_there "$work/podman/sock" $! && "${engine[@]}" load -q -i "$work/skopeo.tar" > "$work/podman/load" 2>&1; then
    export CONTAINER_HOST=unix://$work/podman/sock
    printf '      %s\n' "$(podman --version)"
    check "podman:NAME:TAG" "podman:$name"
    check "podman save | -" - < <(env -u CONTAINER_HOST "${engine[@]}" save -q "$name")
    check "podman save --format oci-archive | -" - < <(env -u CONTAINER_HOST "${engine[@]}" save -q --format oci-archive "$name")
    complains "no such image" 2 'no such image: harbour/none in the Podman daemon' inventory podman:harbour/none
    unset CONTAINER_HOST
  else
    printf 'skip  podman does not run here: %s\n' "$(tail -n 1 "$work/podman/load" "$work/podman/log" 2> /dev/null | tail -n 1 | cut -c 1-200)"
  fi
else
  echo 'skip  podman is not installed'
fi
exit "$failed"
