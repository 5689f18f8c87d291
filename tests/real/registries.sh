#!/usr/bin/env bash
# Gates images out of real registries and compares every verdict and report with the one of the OCI layout that was pushed.
#
#   tests/real/registries.sh [PLIMSOLL [IMAGES]]
#
# PLIMSOLL is the binary (default, or when empty: target/debug/plimsoll), IMAGES a folder with oci/NAME layouts besides the repository's own
# (default: PLIMSOLL_IMAGES; empty: none). Servers, each skipped by name where it is not installed; they listen on 127.0.0.1 only:
#   docker-registry  the distribution project's, plain, and with TLS and a password; no referrers API
#   referrers        go-containerregistry's own server, with the referrers API: built here with go, or the binary in REFERRERS_REGISTRY
#   ministack        an AWS emulator with an ECR-like registry (pip install ministack cryptography), its hypercorn in MINISTACK
# Needs skopeo, jq, curl, openssl, htpasswd. With PLIMSOLL_CORPUS the signing fixtures are verified in docker-registry and in that one as well.
# Exit 1 on any difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=${1:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}
images=${2-${PLIMSOLL_IMAGES:-}}
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2> /dev/null || true; rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
export SOURCE_DATE_EPOCH=1795000000 AWS_EC2_METADATA_DISABLED=true
has() { command -v "$1" > /dev/null; }
skip() { skipped=$((skipped + 1)); printf 'SKIP  %s\n' "$1" >&2; }
good() { passed=$((passed + 1)); printf 'same  %-42s %s\n' "$1" "$2"; }
bad() { failed=$((failed + 1)); printf 'DIFF  %-42s %s\n' "$1" "$2"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
await() { # URL...: until the server answers anything
  for _ in $(seq 200); do curl -sk -o /dev/null --max-time 2 "$1" && return 0; sleep 0.1; done
  return 1
}
for tool in skopeo jq curl; do has "$tool" || { skip "everything: $tool is not installed"; exit 0; }; done

# The layouts to push, and how their names are judged.
layouts=(vulnerable=testdata/images/vulnerable:v1 fixed=testdata/images/fixed:v1)
for name in multiarch debian-python layers-zstd many-layers; do
  [ -n "$images" ] && [ -d "$images/oci/$name" ] && layouts+=("$name=$images/oci/$name:latest")
done
gate() { # IMAGE OUTPUT OPTIONS...
  local image=$1 output=$2 status=0
  shift 2
  "$plimsoll" gate "$image" --platform linux/amd64 --no-aws --policy testdata/images/unsigned-policy.yaml --advisories testdata/advisory/osv --output "json=$output" --output "text=$output.txt" \
    "$@" 2> "$output.err" || status=$?
  echo "$status" > "$output.exit"
}
# The reference differs by design, and of a tag in a registry more is known than of the layout's entry.
comparable() { jq -S 'del(.image.reference, .image.indexDigest)' "$1"; }
for pair in "${layouts[@]}"; do gate "oci:${pair#*=}" "$work/${pair%%=*}.layout"; done

compare() { # SERVER HOST PREFIX PUSH-OPTIONS... -- PULL-OPTIONS...
  local server=$1 host=$2 prefix=$3 push=() name found
  shift 3
  while [ "$1" != -- ]; do push+=("$1"); shift; done
  shift
  for pair in "${layouts[@]}"; do
    name=${pair%%=*}
    if ! skopeo --insecure-policy copy --quiet --all --preserve-digests "${push[@]}" "oci:${pair#*=}" "docker://$host/$prefix$name:v1" > "$work/push.log" 2>&1; then
      bad "$server $name" "skopeo: $(tail -n 1 "$work/push.log")"
      continue
    fi
    found=$work/$name.$server
    gate "${REFERENCE:-$host}/$prefix$name:v1" "$found" "$@"
    if [ -s "$found" ] && cmp -s "$found.exit" "$work/$name.layout.exit" && diff <(comparable "$work/$name.layout") <(comparable "$found") > "$work/diff"; then
      good "$server $name" "exit $(cat "$found.exit")  $(grep -m 1 -E 'PASS|FAIL|INCOMPLETE' "$found.txt")"
    else
      bad "$server $name" "exit $(cat "$found.exit"), layout $(cat "$work/$name.layout.exit")"
      head -n 20 "$found.err" "$work/diff" 2> /dev/null || true
    fi
  done
}
expect() { # NAME EXIT TEXT IMAGE OPTIONS...
  local name=$1 code=$2 text=$3 image=$4
  shift 4
  gate "$image" "$work/expect" "$@"
  if [ "$(cat "$work/expect.exit")" = "$code" ] && grep -q "$text" "$work/expect.err"; then
    good "$name" "exit $code  $(head -n 1 "$work/expect.err")"
  else
    bad "$name" "exit $(cat "$work/expect.exit"), wanted $code with '$text': $(head -n 1 "$work/expect.err")"
  fi
}
signing() { # SERVER HOST: the signing fixtures, pushed and verified
  [ -n "${PLIMSOLL_CORPUS:-}" ] || { skip "signing fixtures in $1: PLIMSOLL_CORPUS is not set"; return; }
  python3 "$PLIMSOLL_CORPUS/tools/push_fixtures.py" "http://$2" "$PLIMSOLL_CORPUS/corpus/signing/fixtures" > "$work/push.log" 2>&1 ||
    { bad "$1 signing fixtures" "$(tail -n 1 "$work/push.log")"; return; }
  if python3 tests/real/signing.py "$plimsoll" "$2" > "$work/signing.log" 2>&1; then
    good "$1 signing fixtures" "$(tail -n 1 "$work/push.log"); $(tail -n 1 "$work/signing.log")"
  else
    bad "$1 signing fixtures" "$(tail -n 1 "$work/signing.log")"
    grep '<--' "$work/signing.log" || true
  fi
}

if has docker-registry; then
  host=127.0.0.1:$(free_port)
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\n' "$work/plain" "$host" > "$work/plain.yml"
  docker-registry serve "$work/plain.yml" > "$work/plain.log" 2>&1 & pids+=($!)
  await "http://$host/v2/"
  compare docker-registry "$host" team/ --dest-tls-verify=false --
  # The same registry as the mirror of one that does not exist.
  REFERENCE=registry.example compare mirror "$host" team/ --dest-tls-verify=false -- --registry-mirror "registry.example=$host"
  expect "docker-registry absent" 2 "no such image" "$host/team/absent:v1"
  signing docker-registry "$host"
else
  skip "docker-registry is not installed"
fi

if has docker-registry && has openssl && has htpasswd; then
  host=127.0.0.1:$(free_port)
  mkdir -p "$work/certs"
  printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > "$work/ext"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/certs/ca.crt" -days 2 -subj /CN=test-authority 2> /dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/leaf.key" -out "$work/leaf.csr" -subj /CN=127.0.0.1 2> /dev/null
  openssl x509 -req -in "$work/leaf.csr" -CA "$work/certs/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -out "$work/leaf.pem" -days 2 -extfile "$work/ext" 2> /dev/null
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/other.key" -out "$work/other.crt" -days 2 -subj /CN=other-authority 2> /dev/null
  htpasswd -Bbn reader 'open sesame' > "$work/htpasswd"
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s, tls: {certificate: %s, key: %s}}\nauth: {htpasswd: {realm: test, path: %s}}\n' \
    "$work/tls" "$host" "$work/leaf.pem" "$work/leaf.key" "$work/htpasswd" > "$work/tls.yml"
  docker-registry serve "$work/tls.yml" > "$work/tls.log" 2>&1 & pids+=($!)
  await "https://$host/v2/"
  jq -n --arg host "$host" '{auths: {($host): {auth: ("reader:open sesame" | @base64)}}}' > "$work/docker.json"
  # A helper that knows the same password, for `credHelpers` and `credsStore`.
  mkdir -p "$work/bin"
  printf '#!/bin/sh\nread -r host\n[ "$host" = "%s" ] || { echo credentials not found in native keychain; exit 1; }\nprintf %s\n' "$host" "'{\"Username\":\"reader\",\"Secret\":\"open sesame\"}'" > "$work/bin/docker-credential-plimsolltest"
  chmod +x "$work/bin/docker-credential-plimsolltest"
  jq -n --arg host "$host" '{credHelpers: {($host): "plimsolltest"}}' > "$work/helper.json"
  jq -n --arg host "$host" '{auths: {($host): {}}, credsStore: "plimsolltest"}' > "$work/store.json"
  jq -n --arg host "$host" '{auths: {($host): {auth: ("reader:wrong" | @base64)}}}' > "$work/wrong.json"
  push=(--dest-cert-dir "$work/certs" --dest-creds 'reader:open sesame')
  compare tls+htpasswd "$host" team/ "${push[@]}" -- --registry-ca "$work/certs/ca.crt" --docker-config "$work/docker.json"
  PATH=$work/bin:$PATH compare tls+credHelpers "$host" team/ "${push[@]}" -- --registry-ca "$work/certs/ca.crt" --docker-config "$work/helper.json"
  PATH=$work/bin:$PATH compare tls+credsStore "$host" team/ "${push[@]}" -- --registry-ca "$work/certs/ca.crt" --docker-config "$work/store.json"
  expect "tls no password" 2 denied "$host/team/fixed:v1" --registry-ca "$work/certs/ca.crt" --docker-config "$work/none.json"
  expect "tls wrong password" 2 denied "$host/team/fixed:v1" --registry-ca "$work/certs/ca.crt" --docker-config "$work/wrong.json"
  expect "tls unknown authority" 2 "no trusted TLS connection" "$host/team/fixed:v1" --registry-ca "$work/other.crt" --docker-config "$work/docker.json"
else
  skip "docker-registry with TLS: docker-registry, openssl or htpasswd is not installed"
fi

referrers=${REFERRERS_REGISTRY:-}
if [ -z "$referrers" ] && has go && go build -C tests/real/referrers-registry -o "$work/referrers-registry" . > "$work/go.log" 2>&1; then
  referrers=$work/referrers-registry
fi
if [ -n "$referrers" ]; then
  host=127.0.0.1:$(free_port)
  "$referrers" "$host" > "$work/referrers.log" 2>&1 & pids+=($!)
  await "http://$host/v2/"
  compare referrers "$host" team/ --dest-tls-verify=false --
  signing referrers "$host"
  grep -q 'GET /v2/.*/referrers/' "$work/referrers.log" || bad "referrers" "the referrers API was never asked"
else
  skip "a registry with the referrers API: go is not installed, or cannot build it ($(tail -n 1 "$work/go.log" 2> /dev/null))"
fi

ministack=${MINISTACK:-$(command -v hypercorn || true)}
if [ -n "$ministack" ]; then
  host=127.0.0.1:$(free_port)
  (cd "$work" && IOT_MTLS_ENABLED=0 exec "$ministack" ministack.app:app -b "$host") > "$work/ministack.log" 2>&1 & pids+=($!)
  await "http://$host/_ministack/health"
  for pair in "${layouts[@]}"; do
    curl -s -o /dev/null "http://$host/" -H 'Content-Type: application/x-amz-json-1.1' -H 'X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.CreateRepository' \
      -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecr/aws4_request, SignedHeaders=host, Signature=0' -d "{\"repositoryName\":\"team/${pair%%=*}\"}"
  done
  # Under the name that it would have in Amazon ECR.
  REFERENCE=000000000000.dkr.ecr.us-east-1.amazonaws.com compare ministack "$host" team/ --dest-tls-verify=false -- --registry-mirror "000000000000.dkr.ecr.us-east-1.amazonaws.com=$host"
else
  skip "an ECR-like registry: ministack is not installed"
fi

printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
