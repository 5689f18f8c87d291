#!/usr/bin/env bash
# The same bytes from two runs, with one thread and with four, in every output format.
#
#   tests/real/identical.sh IMAGES [PLIMSOLL] [NAME...]
#
# IMAGES is what the corpus's images/build.sh wrote; PLIMSOLL the binary (default: target/debug/plimsoll); NAME chooses images. Exit 1 on any difference.
set -euo pipefail
images=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=${2:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}
names=("${@:3}")
[ ${#names[@]} -gt 0 ] || names=(debian-python java go-distroless php-dotnet secrets rust debian-node alpine-3.20 links)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1700000000
passed=0 failed=0
# The binary names its formats itself, so that a new one is compared, too.
formats=$({ "$plimsoll" inventory oci:"$images/oci/${names[0]}" --output none-such=x 2>&1 || true; } | sed -n 's/.*known formats: //p' | tr -d ',')
[ -n "$formats" ] || { echo "the binary does not name its formats" >&2; exit 2; }

for name in "${names[@]}"; do
  for threads in 1 4; do
    outputs=()
    for format in $formats; do outputs+=(--output "$format=$work/$format.$threads"); done
    status=0
    "$plimsoll" inventory "oci:$images/oci/$name" --platform linux/amd64 --no-cache --quiet --limit "threads=$threads" "${outputs[@]}" > "$work/log" 2>&1 || status=$?
    [ "$status" != 2 ] || { cat "$work/log" >&2; exit 2; }
  done
  for format in $formats; do
    if [ -s "$work/$format.1" ] && cmp -s "$work/$format.1" "$work/$format.4"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      printf 'FAIL  %s, %s: 1 and 4 threads differ\n' "$name" "$format"
    fi
  done
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
