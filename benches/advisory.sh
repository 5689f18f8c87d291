#!/usr/bin/env bash
# Speed and size of the advisory database: benches/advisory.sh [COPIES]
#
# Builds the real OSV dumps of the corpus (PLIMSOLL_CORPUS, default ../shared) and a synthetic set of COPIES (default 20, 0 for none) varied copies of them;
# for each: CPU and memory of the build, bytes per row (zstd -19 over each shard without its text file), opening, 500 packages cold and warm, memory.
# Needs a release build (target/release/plimsoll, or PLIMSOLL=path) and cargo, or BENCH=path of the built bench target. "Cold" is the first look-up of a
# process whose files the system may still have in its cache; the median of 21 more is "warm", and the process whose median is in
# the middle of five is shown. Exit 1 when a bar is missed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
plimsoll=$(realpath "${PLIMSOLL:-${CARGO_TARGET_DIR:-target}/release/plimsoll}")
corpus=$(realpath "${PLIMSOLL_CORPUS:-../shared}")/corpus/advisories/osv
copies=${1:-20}
for file in "$plimsoll" "$corpus/ecosystems.txt"; do
  [ -f "$file" ] || { echo "$file is missing" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0
bar() { # bar TEXT VALUE RELATION BAR
  awk -v value="$2" -v bar="$4" "BEGIN {exit !(value $3 bar)}" || { printf 'MISSED  %s: %s, the bar is %s %s\n' "$1" "$2" "$3" "$4"; missed=1; }
}
bench() { if [ -n "${BENCH:-}" ]; then "$BENCH" "$@"; else cargo bench --quiet --bench advisory -- "$@"; fi; }
value() { awk -v name="$1" '$1 == name {print $2}' "$work/values"; }

# measure NAME FEEDS PACKAGES WARM_BAR
measure() {
  local status=0
  # User and system seconds and the largest resident set of the build; a feed that does not read is the corpus' own affair, an error is not.
  python3 - "$plimsoll" db build --from "$2" --db "$work/$1" > "$work/build" <<'PY' || status=$?
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"build_cpu_s {used.ru_utime + used.ru_stime:.2f}\nbuild_rss_mb {used.ru_maxrss / 1024:.0f}")
sys.exit(done.returncode)
PY
  [ "$status" = 0 ] || [ "$status" = 3 ] || { echo "the build of $1 failed with $status" >&2; exit 2; }
  bench size "$work/$1" > "$work/size"
  # The machine is shared: of five processes the one in the middle.
  for run in 1 2 3 4 5; do bench match "$work/$1" "$3" > "$work/match.$run"; done
  awk '$1 == "match_warm_ms" {print $2, FILENAME}' "$work"/match.? | sort -n | awk 'NR == 3 {print $2}' | xargs cat > "$work/match"
  cat "$work/build" "$work/size" "$work/match" > "$work/values"
  printf '%s\n' "$1"
  sed 's/^/  /' "$work/values"
  bar "$1: open, ms" "$(value open_ms)" '<' 1
  bar "$1: 500 packages warm, ms" "$(value match_warm_ms)" '<' "$4"
  bar "$1: memory of matching, MB" "$(value rss_mb)" '<' 50
  bar "$1: packages" "$(value packages)" '==' 500
}

python3 benches/advisory_set.py "$corpus" "$work/once" 1
measure corpus "$corpus" "$work/once/packages.tsv" 5
bar "corpus: build, CPU s" "$(value build_cpu_s)" '<' 10
bar "corpus: build, MB" "$(value build_rss_mb)" '<' 500
bar "corpus: bytes per row" "$(value packed_bytes_per_row)" '<=' 12
if [ "$copies" != 0 ]; then
  python3 benches/advisory_set.py "$corpus" "$work/many" "$copies"
  measure "x$copies" "$work/many" "$work/many/packages.tsv" 20
fi
exit "$missed"
