#!/usr/bin/env bash
# `plimsoll inventory` on five images beside the floor (igzip and openssl) and syft: benches/inventory.sh [IMAGE...]
# Without IMAGE also: 2 GB of zeros beside the floor, and `--platform all` beside its largest platform.
#
# Needs a release build (target/release/plimsoll, or PLIMSOLL=path), the built images (PLIMSOLL_IMAGES, default target/images) and the measuring tool of
# the corpora (PLIMSOLL_CORPUS, default ../shared). SYFT=path chooses syft, SYFT= leaves it out; RUNS=5 runs of each.
# After each image: the same command warm, every layer in the cache, median of RUNS. Exit 1 when a bar is missed; compare ratios, never seconds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
plimsoll=$(realpath "${PLIMSOLL:-${CARGO_TARGET_DIR:-target}/release/plimsoll}")
images=$(realpath "${PLIMSOLL_IMAGES:-target/images}")
tool=$(realpath "${PLIMSOLL_CORPUS:-../shared}")/tools/bench_inventory.sh
runs=${RUNS:-5}
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(debian-python java go-distroless big many-layers)
for file in "$plimsoll" "$tool"; do
  [ -f "$file" ] || { echo "$file is missing" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0
bar() { # bar TEXT VALUE RELATION BAR
  awk -v value="$2" -v bar="$4" "BEGIN {exit !(value $3 bar)}" || { printf 'MISSED  %s: %s, the bar is %s %s\n' "$1" "$2" "$3" "$4"; missed=1; }
}

median() { sort -n | awk '{v[NR] = $1} END {printf "%.1f\n", v[int((NR + 1) / 2)] / 10}'; }
for name in "${names[@]}"; do
  image=$images/oci/$name
  [ -f "$image/index.json" ] || { echo "$image is missing" >&2; exit 2; }
  # An image that a policy would stop, or with something unread, is no failure of the measurement; an error is.
  RUNS=$runs bash "$tool" "$image" -- bash -c '"$0" inventory "oci:$1" --no-cache --quiet --output cyclonedx=/dev/null || [ $? != 2 ]' "$plimsoll" '{}' | tee "$work/table" || missed=1
  bar "$name wall / floor" "$(awk '$1 == "command" {print $6}' "$work/table")" '<=' 1.3
  bar "$name peak MB" "$(awk '$1 == "command" {print $5}' "$work/table")" '<=' 100
  faster=$(awk '/^syft wall/ {print $NF}' "$work/table")
  [ -z "$faster" ] || bar "$name times faster than syft" "$faster" '>=' 6
  "$plimsoll" inventory "oci:$image" --quiet --cache-dir "$work/cache" --output cyclonedx=/dev/null || [ $? != 2 ]
  for ((run = 1; run <= runs; run++)); do
    begun=$(date +%s%N)
    "$plimsoll" inventory "oci:$image" --quiet --cache-dir "$work/cache" --output cyclonedx=/dev/null || [ $? != 2 ]
    echo "$((($(date +%s%N) - begun) / 100000))"
  done | median > "$work/warm"
  printf 'warm: %s ms, %s kB of entries so far\n\n' "$(cat "$work/warm")" "$(du -sk "$work/cache" | cut -f1)"
  bar "$name warm ms" "$(cat "$work/warm")" '<=' 50
done
if [ $# = 0 ] && [ -f "$images/oci/hostile-gzipbomb/index.json" ]; then
  # shellcheck disable=SC2016 # the inner shell expands
  SYFT='' RUNS=$runs bash "$tool" "$images/oci/hostile-gzipbomb" -- bash -c '"$0" inventory "oci:$1" --no-cache --quiet --output cyclonedx=/dev/null || [ $? != 2 ]' "$plimsoll" '{}' | tee "$work/table" || missed=1
  bar "2 GB of zeros, wall / floor" "$(awk '$1 == "command" {print $6}' "$work/table")" '<=' 1.3
  bar "2 GB of zeros, peak MB" "$(awk '$1 == "command" {print $5}' "$work/table")" '<=' 100
  echo
fi
if [ $# = 0 ] && [ -f "$images/oci/multiarch/index.json" ]; then
  # Interleaved, so that a busy moment hits all alike; more runs, because they are short.
  for ((run = 1; run <= 5 * runs; run++)); do
    for platform in linux/amd64 linux/arm64 all; do
      begun=$(date +%s%N)
      "$plimsoll" inventory "oci:$images/oci/multiarch" --platform "$platform" --no-cache --quiet --output json=/dev/null || [ $? != 2 ]
      echo "$((($(date +%s%N) - begun) / 100000))" >> "$work/platform.${platform#linux/}"
    done
  done
  amd64=$(median < "$work/platform.amd64") arm64=$(median < "$work/platform.arm64") all=$(median < "$work/platform.all")
  ratio=$(awk -v a="$amd64" -v b="$arm64" -v c="$all" 'BEGIN {printf "%.2f", c / (a > b ? a : b)}')
  printf 'multiarch: linux/amd64 %s ms, linux/arm64 %s ms, all %s ms, all / largest %s\n' "$amd64" "$arm64" "$all" "$ratio"
  bar "multiarch, all / largest" "$ratio" '<=' 1.5
fi
exit "$missed"
