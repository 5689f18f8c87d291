#!/usr/bin/env bash
# Looks for what is in real images besides packages: everything that is planted must be found, and no credential where none is.
#
#   tests/real/secrets.sh IMAGES [PLIMSOLL]
#
# IMAGES is what the corpus's images/build.sh wrote; PLIMSOLL the binary (default: target/debug/plimsoll). Needs jq. Exit 1 on any difference.
set -euo pipefail
images=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=${2:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
say() { if [ "$1" = pass ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi; printf '%-5s %s\n' "$1" "$2"; }

# The rules that fired on an image, as `id <tab> title`.
rules() {
  local status=0
  "$plimsoll" gate "oci:$images/oci/$1:latest" --no-cache --no-offline --platform linux/amd64 --output "json=$work/$1.json" > "$work/$1.log" 2>&1 || status=$?
  if [ "$status" = 2 ] || [ ! -s "$work/$1.json" ]; then
    cat "$work/$1.log" >&2
    return 1
  fi
  jq -r '.findings[] | select(.kind == "rule") | "\(.id)\t\(.title)"' "$work/$1.json"
}

if [ -d "$images/oci/secrets" ]; then
  rules secrets > "$work/secrets.tsv"
  while IFS='|' read -r what pattern; do
    if grep -Pq "$pattern" "$work/secrets.tsv"; then say pass "$what"; else say FAIL "$what"; fi
  done << 'EOF'
RSA key, deleted above|^private-key-in-layer\t.*root/\.ssh/id_rsa.*layer above
EC key|^private-key-in-layer\tEC private key in app/tls\.key, line \d+$
AWS credentials|^credential-in-layer\tAWS .*root/\.aws/credentials
npm token|^credential-in-layer\tnpm token.*app/\.npmrc
password in .env, deleted above|^credential-in-layer\tpassword.*app/\.env.*layer above
AWS key in Env|^secret-in-env\t.*AWS_SECRET_ACCESS_KEY
setuid file|^setuid-file\tsetuid: usr/bin/su-helper
setgid file|^setuid-file\tsetgid: usr/bin/sg-helper
world-writable file|^world-writable-path\t.*app/world
root user|^root-user\t
port 22|^ssh-port-exposed\t
EOF
  # No report may show a value; the planted ones are read from the layers themselves.
  layers=$(jq -r '.layers[].digest | sub(":"; "/")' "$images/oci/secrets/blobs/$(jq -r '.manifests[0].digest | sub(":"; "/")' "$images/oci/secrets/index.json")")
  for layer in $layers; do
    tar -xOf "$images/oci/secrets/blobs/$layer" ./app/.npmrc ./app/.env ./root/.aws/credentials ./root/.ssh/id_rsa ./app/tls.key 2> /dev/null || true
  done | grep -oE '[A-Za-z0-9+/]{12,}' | grep -v '^postgres' | sort -u > "$work/values"
  "$plimsoll" gate "oci:$images/oci/secrets:latest" --no-cache --no-offline --output "text=$work/r.txt" --output "sarif=$work/r.sarif" --output "markdown=$work/r.md" --output "junit=$work/r.xml" --output "json=$work/r.json" > /dev/null 2>&1 || true
  if [ -s "$work/values" ] && ! grep -Ff "$work/values" "$work"/r.* > "$work/shown" && ! grep -F Sup3rS3cret "$work"/r.* >> "$work/shown"; then
    say pass "no report shows a value ($(wc -l < "$work/values") looked for)"
  else
    say FAIL "a report shows a value"
  fi
fi

for name in alpine-3.10 alpine-3.14 alpine-3.18 alpine-3.20 busybox multiarch debian-12 debian-python debian-node debian-ruby java go-distroless \
  amazonlinux-2023 amazonlinux-2-bdb rust php-dotnet links whiteouts many-layers; do
  [ -d "$images/oci/$name" ] || continue
  if ! rules "$name" > "$work/$name.tsv"; then
    say FAIL "$name: no report"
    continue
  fi
  if alarms=$(grep -P '^(private-key-in-layer|credential-in-layer|secret-|credentials-in-url)' "$work/$name.tsv"); then
    say FAIL "$name: false alarms"
    printf '%s\n' "$alarms"
  else
    say pass "$name: no false alarm of a credential; $(cut -f1 "$work/$name.tsv" | sort | uniq -c | awk '{printf "%s%s %s", sep, $1, $2; sep = ", "}')"
  fi
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
