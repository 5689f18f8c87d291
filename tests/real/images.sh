#!/usr/bin/env bash
# Compares the inventory of real images with what their own package managers list, and gates two of them.
#
#   tests/real/images.sh IMAGES [PLIMSOLL]
#
# IMAGES is what the corpus's images/build.sh wrote; PLIMSOLL the binary (default: target/debug/plimsoll). Needs PLIMSOLL_CORPUS
# (images/truth.py, tools/compare_inventory.py, corpus/advisories/sample), python3, rpm and dpkg-query. Exit 1 on any difference.
set -euo pipefail
images=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=${2:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}
: "${PLIMSOLL_CORPUS:?is not set: the folder that holds images/, tools/ and corpus/}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$PLIMSOLL_CORPUS/images/truth.py" "$images" "$work/truth" > "$work/truth.log" 2>&1 || { cat "$work/truth.log" >&2; exit 1; }
# Jars, Go modules, crates and the like have no native tool: there the corpus's own truth holds what another scanner found in the same files.
python3 - "$PLIMSOLL_CORPUS/images/truth" "$work/truth" << 'EOF'
import glob, json, os, sys
NATIVE = {"apk", "deb", "rpm", "python", "npm", "gem"}
for path in glob.glob(f"{sys.argv[2]}/*.json"):
    known = f"{sys.argv[1]}/{os.path.basename(path)}"
    truth = json.load(open(path))
    if os.path.exists(known) and isinstance(truth, dict) and "native" in truth:
        truth["syft"] = [record for record in json.load(open(known))["syft"] or [] if record["type"] not in NATIVE]
        json.dump(truth, open(path, "w"))
EOF
passed=0 failed=0
for name in alpine-3.10 alpine-3.14 alpine-3.18 alpine-3.20 amazonlinux-2-bdb amazonlinux-2023 amazonlinux-2023-ndb-arm64 amazonlinux-erased busybox debian-12 \
  debian-python debian-node debian-ruby go-distroless java layers-mixed layers-multigzip layers-plain layers-zstd links many-layers multiarch php-dotnet rust \
  secrets whiteouts; do
  [ -d "$images/oci/$name" ] && [ -f "$work/truth/$name.json" ] || continue
  status=0 platform=linux/amd64
  [ "$name" != amazonlinux-2023-ndb-arm64 ] || platform=linux/arm64
  "$plimsoll" inventory "oci:$images/oci/$name:latest" --no-cache --platform "$platform" --output "cyclonedx=$work/$name.cdx.json" 2> "$work/$name.err" || status=$?
  # 3 is a Gap that the image deserves (no packages, no distribution); the comparison still has to hold.
  if { [ "$status" = 0 ] || [ "$status" = 3 ]; } && python3 "$PLIMSOLL_CORPUS/tools/compare_inventory.py" --strict --explained testdata/inventory/DIFFERENCES.tsv "$work/truth/$name.json" "$work/$name.cdx.json" > "$work/$name.diff"; then
    passed=$((passed + 1))
    printf 'same  %-26s exit %s  %s\n' "$name" "$status" "$(sed 1d "$work/$name.diff" | sed -n 's/^  \([^ ].*\)/\1/p' | tr '\n' ';')"
  else
    failed=$((failed + 1))
    printf 'DIFF  %-26s exit %s\n' "$name" "$status"
    cat "$work/$name.err" "$work/$name.diff" 2> /dev/null || true
  fi
done
"$plimsoll" db build --from "$PLIMSOLL_CORPUS/corpus/advisories/sample" --db "$work/db" > "$work/db.log"
for name in debian-python debian-node alpine-3.10; do
  [ -d "$images/oci/$name" ] || continue
  status=0
  "$plimsoll" gate --no-cache "oci:$images/oci/$name:latest" --db "$work/db" --policy tests/real/any-age.yaml --output "json=$work/$name.json" --output "text=$work/$name.txt" || status=$?
  printf 'gate  %-20s exit %s  %s\n' "$name" "$status" "$(sed -n 2p "$work/$name.txt")"
  jq -r '.findings[] | select(.kind == "vulnerability") | "      \(.id)  \(.severity.effective)  \(.package.name) \(.package.version) -> \((.fixed // []) | join(", "))"' "$work/$name.json" | sort | uniq -c | sort -k3,3 | sed -n "1,${PLIMSOLL_SHOW:-15}p"
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
