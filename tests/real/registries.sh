#!/usr/bin/env bash
# Gates images out of real registries and compares every verdict and report with the one of the OCI layout that was pushed.
#
#   tests/real/registries.sh [PLIMSOLL [IMAGES]]
#
# PLIMSOLL is the binary (default, or when empty: target/debug/plimsoll), IMAGES a folder with oci/NAME layouts besides the repository's own
# (default: PLIMSOLL_IMAGES; empty: none). Servers, each skipped by name where it is not installed; they listen on 127.0.0.1 only:
#   docker-registry  the distribution project's, plain, and with TLS and a password; no referrers API
#   referrers        go-containerregistry's own server, with the referrers API: built here with go, or the binary in REFERRERS_REGISTRY
#   ministack        an AWS emulator with an ECR-like registry (pip install ministack cryptography), its hypercorn in MINISTACK; once as it is, and once
#                    behind tests/real/ecr_door.py, which demands ECR's login and is reached under ECR's name and with TLS
# Then what a user sees of each when something is wrong. Needs skopeo, jq, curl, python3, openssl, htpasswd. With PLIMSOLL_CORPUS the signing fixtures
# are verified in docker-registry and in the one with the referrers API as well. Exit 1 on any difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}")
images=${2-${PLIMSOLL_IMAGES:-}}
. tests/real/servers.sh
export SOURCE_DATE_EPOCH=1795000000 AWS_EC2_METADATA_DISABLED=true
# Neither credentials nor layers of whoever runs this; only go keeps its modules there.
own_home=$HOME
export HOME=$work/home DOCKER_CONFIG=$work/home/.docker PLIMSOLL_CACHE_DIR=$work/cache
unset REGISTRY_AUTH_FILE XDG_RUNTIME_DIR AWS_PROFILE AWS_REGION AWS_ENDPOINT_URL
await() { # URL PID: until the server answers anything, as long as it lives
  for _ in $(seq 200); do
    curl -sk -o /dev/null --max-time 2 "$1" && return 0
    alive "$2" || return 1
    sleep 0.1
  done
  return 1
}
serve() { # NAME URL COMMAND...: starts a server; one that does not answer is a failure, because it is installed
  local name=$1 url=$2
  shift 2
  "$@" > "$work/$name.log" 2>&1 & pids+=($!)
  await "$url" $! || { bad "$name" "does not start: $(tail -n 1 "$work/$name.log")"; return 1; }
}
for tool in skopeo jq curl python3; do has "$tool" || { skip "all registries: $tool is not installed"; exit 0; }; done
timeout 60 "$plimsoll" db build --from testdata/advisory/osv --db "$work/db" > "$work/db.log"

# The layouts to push, and how their names are judged.
layouts=(vulnerable=testdata/images/vulnerable:v1 fixed=testdata/images/fixed:v1)
for name in multiarch debian-python layers-zstd many-layers; do
  [ -n "$images" ] && [ -d "$images/oci/$name" ] && layouts+=("$name=$images/oci/$name:latest")
done
gate() { # IMAGE OUTPUT OPTIONS...
  local image=$1 output=$2 status=0
  shift 2
  rm -f "$output"
  timeout 60 "$plimsoll" gate "$image" --platform linux/amd64 --no-cache --no-aws --policy testdata/images/unsigned-policy.yaml --db "$work/db" \
    --output "json=$output" --output "text=$output.txt" "$@" 2> "$output.err" || status=$?
  echo "$status" > "$output.exit"
}
# The reference differs by design, and of a tag in a registry more is known than of the layout's entry.
comparable() { jq -S 'del(.image.reference, .image.indexDigest)' "$1"; }
for pair in "${layouts[@]}"; do gate "oci:${pair#*=}" "$work/${pair%%=*}.layout"; done

pulled() { # SERVER NAME IMAGE OPTIONS...: the report of IMAGE is that of the layout NAME
  local server=$1 name=$2 image=$3 found=$work/$2.$1
  shift 3
  gate "$image" "$found" "$@"
  if [ -s "$found" ] && cmp -s "$found.exit" "$work/$name.layout.exit" && diff <(comparable "$work/$name.layout") <(comparable "$found") > "$work/diff"; then
    good same "$server $name" "exit $(cat "$found.exit")  $(grep -m 1 -E 'PASS|FAIL|INCOMPLETE' "$found.txt")"
  else
    bad "$server $name" "exit $(cat "$found.exit"), layout $(cat "$work/$name.layout.exit")"
    head -n 20 "$found.err" "$work/diff" 2> /dev/null || true
  fi
}
compare() { # SERVER HOST PREFIX PUSH-OPTIONS... -- PULL-OPTIONS...
  local server=$1 host=$2 prefix=$3 push=() name
  shift 3
  while [ "$1" != -- ]; do push+=("$1"); shift; done
  shift
  for pair in "${layouts[@]}"; do
    name=${pair%%=*}
    if ! timeout 60 skopeo --insecure-policy copy --quiet --all --preserve-digests "${push[@]}" "oci:${pair#*=}" "docker://$host/$prefix$name:v1" > "$work/push.log" 2>&1; then
      bad "$server $name" "skopeo: $(tail -n 1 "$work/push.log")"
      continue
    fi
    pulled "$server" "$name" "${REFERENCE:-$host}/$prefix$name:v1" "$@"
  done
}
expect() { # NAME TEXT IMAGE OPTIONS...: an error of one line and at most one hint, which hold TEXT
  local name=$1 text=$2 image=$3
  shift 3
  gate "$image" "$work/expect" "$@"
  if [ "$(cat "$work/expect.exit")" = 2 ] && grep -qF -- "$text" "$work/expect.err" && [ "$(wc -l < "$work/expect.err")" -le 2 ]; then
    good says "$name" "$(grep -m 1 -F -- "$text" "$work/expect.err" | sed 's/^ *//' | cut -c 1-150)"
  else
    bad "$name" "exit $(cat "$work/expect.exit"), no '$text': $(cat "$work/expect.err")"
  fi
}
signing() { # SERVER HOST: the signing fixtures, pushed and verified
  [ -n "${PLIMSOLL_CORPUS:-}" ] || { skip "signing fixtures in $1: PLIMSOLL_CORPUS is not set"; return; }
  timeout 60 python3 "$PLIMSOLL_CORPUS/tools/push_fixtures.py" "http://$2" "$PLIMSOLL_CORPUS/corpus/signing/fixtures" > "$work/push.log" 2>&1 ||
    { bad "$1 signing fixtures" "$(tail -n 1 "$work/push.log")"; return; }
  if timeout 120 python3 tests/real/signing.py "$plimsoll" "$2" > "$work/signing.log" 2>&1; then
    good same "$1 signing fixtures" "$(tail -n 1 "$work/push.log"); $(tail -n 1 "$work/signing.log")"
  else
    bad "$1 signing fixtures" "$(tail -n 1 "$work/signing.log")"
    grep '<--' "$work/signing.log" || true
  fi
}

expect "nobody listens" "cannot reach registry 127.0.0.1:1: " 127.0.0.1:1/team/app:v1

if has docker-registry; then
  host=127.0.0.1:$(free_port)
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\n' "$work/plain" "$host" > "$work/plain.yml"
  if serve docker-registry "http://$host/v2/" docker-registry serve "$work/plain.yml"; then
    compare docker-registry "$host" team/ --dest-tls-verify=false --
    # The same registry as the mirror of one that does not exist.
    for pair in "${layouts[@]}"; do pulled mirror "${pair%%=*}" "registry.example/team/${pair%%=*}:v1" --registry-mirror "registry.example=$host"; done
    expect "no such tag" "no such tag: $host/team/fixed:v9" "$host/team/fixed:v9"
    expect "no such tag, what there is" "hint: there is v1" "$host/team/fixed:v9"
    expect "no such repository" "no such repository: $host/team/absent" "$host/team/absent:v1"
    expect "no such repository on a mirror" "registry.example/team/absent (on its mirror $host/team/absent)" registry.example/team/absent \
      --registry-mirror "registry.example=$host"
    if has openssl; then
      certificate any IP:127.0.0.1
      expect "plain http asked over TLS" "it does not speak TLS" "$host/team/fixed:v1" --registry-ca "$work/certs/ca.crt"
    fi
    signing docker-registry "$host"
  fi
else
  skip "docker-registry: it is not installed"
fi

if has docker-registry && has openssl && has htpasswd; then
  host=127.0.0.1:$(free_port)
  certificate leaf IP:127.0.0.1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/other.key" -out "$work/other.crt" -days 2 -subj /CN=other-authority 2> /dev/null
  htpasswd -Bbn reader 'open sesame' > "$work/htpasswd"
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s, tls: {certificate: %s, key: %s}}\nauth: {htpasswd: {realm: test, path: %s}}\n' \
    "$work/tls" "$host" "$work/leaf.pem" "$work/leaf.key" "$work/htpasswd" > "$work/tls.yml"
  jq -n --arg host "$host" '{auths: {($host): {auth: ("reader:open sesame" | @base64)}}}' > "$work/docker.json"
  # A helper that knows the same password, for `credHelpers` and `credsStore`.
  mkdir -p "$work/bin"
  printf '#!/bin/sh\nread -r host\n[ "$host" = "%s" ] || { echo credentials not found in native keychain; exit 1; }\nprintf %s\n' "$host" "'{\"Username\":\"reader\",\"Secret\":\"open sesame\"}'" > "$work/bin/docker-credential-plimsolltest"
  chmod +x "$work/bin/docker-credential-plimsolltest"
  jq -n --arg host "$host" '{credHelpers: {($host): "plimsolltest"}}' > "$work/helper.json"
  jq -n --arg host "$host" '{auths: {($host): {}}, credsStore: "plimsolltest"}' > "$work/store.json"
  jq -n --arg host "$host" '{auths: {($host): {auth: ("reader:wrong" | @base64)}}}' > "$work/wrong.json"
  jq -n --arg host "$host" '{credHelpers: {($host): "plimsollabsent"}}' > "$work/absent.json"
  push=(--dest-cert-dir "$work/certs" --dest-creds 'reader:open sesame')
  ca=(--registry-ca "$work/certs/ca.crt")
  if serve tls+htpasswd "https://$host/v2/" docker-registry serve "$work/tls.yml"; then
    compare tls+htpasswd "$host" team/ "${push[@]}" -- "${ca[@]}" --docker-config "$work/docker.json"
    PATH=$work/bin:$PATH pulled tls+credHelpers fixed "$host/team/fixed:v1" "${ca[@]}" --docker-config "$work/helper.json"
    PATH=$work/bin:$PATH pulled tls+credsStore fixed "$host/team/fixed:v1" "${ca[@]}" --docker-config "$work/store.json"
    expect "tls no password" "no credentials for $host were found: log in with \`docker login $host\`" "$host/team/fixed:v1" "${ca[@]}"
    expect "tls wrong password" "are not accepted: log in again" "$host/team/fixed:v1" "${ca[@]}" --docker-config "$work/wrong.json"
    expect "tls no such helper" "cannot run docker-credential-plimsollabsent" "$host/team/fixed:v1" "${ca[@]}" --docker-config "$work/absent.json"
    expect "tls no such tag" "hint: there is v1" "$host/team/fixed:v9" "${ca[@]}" --docker-config "$work/docker.json"
    expect "tls unknown authority" "its certificate is of an unknown authority" "$host/team/fixed:v1" --registry-ca "$work/other.crt"
    expect "tls another name" "its certificate is for another host name" "localhost:${host##*:}/team/fixed:v1" "${ca[@]}"
    expect "tls asked over plain http" "it speaks TLS and was asked over plain http" "$host/team/fixed:v1"
  fi
else
  skip "docker-registry with TLS and a password: docker-registry, openssl or htpasswd is not installed"
fi

referrers=${REFERRERS_REGISTRY:-}
if [ -z "$referrers" ] && has go && HOME=$own_home timeout 120 go build -C tests/real/referrers-registry -o "$work/referrers-registry" . > "$work/go.log" 2>&1; then
  referrers=$work/referrers-registry
fi
if [ -n "$referrers" ]; then
  host=127.0.0.1:$(free_port)
  if serve referrers "http://$host/v2/" "$referrers" "$host"; then
    compare referrers "$host" team/ --dest-tls-verify=false --
    expect "referrers no such repository" "no such repository: $host/team/absent" "$host/team/absent:v1"
    signing referrers "$host"
    [ -z "${PLIMSOLL_CORPUS:-}" ] || grep -q 'GET /v2/.*/referrers/' "$work/referrers.log" || bad "referrers" "the referrers API was never asked"
  fi
elif has go; then
  skip "a registry with the referrers API: go cannot build it, or cannot fetch its modules ($(tail -n 1 "$work/go.log" 2> /dev/null | cut -c 1-200))"
else
  skip "a registry with the referrers API: go is not installed"
fi

ministack=${MINISTACK:-$(command -v hypercorn || true)}
if [ -n "$ministack" ]; then
  host=127.0.0.1:$(free_port)
  ecr=000000000000.dkr.ecr.us-east-1.amazonaws.com
  ecr_call() { # OPERATION BODY
    curl -s --max-time 20 "http://$host/" -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.$1" \
      -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecr/aws4_request, SignedHeaders=host, Signature=0' -d "$2"
  }
  if serve ministack "http://$host/_ministack/health" env -C "$work" IOT_MTLS_ENABLED=0 "$ministack" ministack.app:app -b "$host"; then
    for pair in "${layouts[@]}"; do ecr_call CreateRepository "{\"repositoryName\":\"team/${pair%%=*}\"}" > /dev/null; done
    # Under the name that it would have in Amazon ECR, as a mirror of that: ministack itself asks nobody to log in.
    REFERENCE=$ecr compare ministack "$host" team/ --dest-tls-verify=false -- --registry-mirror "$ecr=$host"
    if has openssl; then
      # And behind a door as Amazon's, which wants what GetAuthorizationToken gives: the whole way, with nothing but AWS keys.
      certificate ecr "DNS:$ecr"
      authorization=$(ecr_call GetAuthorizationToken '{}' | jq -r '.authorizationData[0].authorizationToken')
      python3 tests/real/ecr_door.py "$work/door" "$host" "$ecr" "$work/ecr.pem" "$work/ecr.key" "$authorization" > "$work/door.log" 2>&1 & pids+=($!)
      for _ in $(seq 100); do [ ! -s "$work/door" ] || break; sleep 0.1; done
      export HTTPS_PROXY=http://127.0.0.1:$(cat "$work/door") AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_ENDPOINT_URL=http://$host
      ca=(--registry-ca "$work/certs/ca.crt")
      for pair in "${layouts[@]}"; do pulled ecr-login "${pair%%=*}" "$ecr/team/${pair%%=*}:v1" "${ca[@]}"; done
      { grep -q '^GET /v2/team/fixed/blobs/.* known' "$work/door.log" && ! grep -q ' refused' "$work/door.log"; } || bad "ecr-login" "$(tail -n 3 "$work/door.log")"
      expect "ecr no such tag" "hint: there is v1" "$ecr/team/fixed:v9" "${ca[@]}"
      expect "ecr no such repository" "no such repository: $ecr/team/absent" "$ecr/team/absent:v1" "${ca[@]}"
      jq -n --arg host "$ecr" '{auths: {($host): {auth: ("AWS:expired" | @base64)}}}' > "$work/old.json"
      expect "ecr old password" "stored credentials are not older than 12 hours" "$ecr/team/fixed:v1" "${ca[@]}" --docker-config "$work/old.json"
      AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_MAX_ATTEMPTS=1 expect "ecr login endpoint down" "cannot get credentials for $ecr: ECR GetAuthorizationToken in us-east-1" \
        "$ecr/team/fixed:v1" "${ca[@]}"
      unset HTTPS_PROXY AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    else
      skip "the ECR login: openssl is not installed"
    fi
  fi
else
  skip "an ECR-like registry: ministack is not installed"
fi
summary
