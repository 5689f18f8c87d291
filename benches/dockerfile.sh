#!/usr/bin/env bash
# Speed and memory of `plimsoll lint`: benches/dockerfile.sh [shapes]
#
# Lints all real Dockerfiles of the corpus (PLIMSOLL_CORPUS, default ../shared) in one process with every rule on, reports to nowhere, and beside it
# hadolint and BuildKit's checks where they are installed (HADOLINT=path, BUILDCTL=path; HADOLINT= leaves it out). Seconds are of the processor, user and
# system; of RUNS=5 runs in turn the one in the middle counts. One small file is timed by the wall clock.
# With `shapes`: one Dockerfile of a megabyte for each shape that could make a reader superlinear, all rules on, the seconds for each.
# Needs a release build (target/release/plimsoll, or PLIMSOLL=path). Exit 1 when a bar is missed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
plimsoll=$(realpath "${PLIMSOLL:-${CARGO_TARGET_DIR:-target}/release/plimsoll}")
[ -f "$plimsoll" ] || { echo "$plimsoll is missing" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A policy in which every rule runs and every finding counts. Rules that ask registries run as far as they come without one, and ShellCheck is not asked:
# neither the time of a network nor that of another program is measured.
"$plimsoll" explain --format json | python3 -c '
import json, sys
print("version: 1\nname: every-rule\nrules:\n  set:")
for rule in json.load(sys.stdin):
    if "network" not in rule["needs"] and rule["id"] != "shellcheck":
        print("    " + rule["id"] + ": fail")' > "$work/every-rule.yaml"
# Runs every command in turn, RUNS times over; prints a line for each with the median seconds of the processor and of the wall clock, and the peak MB.
cat > "$work/measure.py" <<'PY'
import os, statistics, subprocess, sys, time
runs, commands = int(sys.argv[1]), [line.rstrip("\n").split("\t") for line in sys.stdin]
rows = {name: [] for name, *_ in commands}
for _ in range(runs):
    for name, *command in commands:
        begun = time.monotonic()
        null = open(os.devnull, "w")
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=null, stderr=null)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1, 3):
            sys.exit(f"{name} ends with {child.returncode}")
        rows[name].append((used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss / 1024))
for name, row in rows.items():
    cpu, wall, peak = (statistics.median(column) for column in zip(*row))
    print(f"{name}\t{cpu:.3f}\t{wall:.3f}\t{peak:.1f}")
PY
missed=0
bar() { # bar TEXT VALUE RELATION BAR
  awk -v value="$2" -v bar="$4" "BEGIN {exit !(value $3 bar)}" || { printf 'MISSED  %s: %s, the bar is %s %s\n' "$1" "$2" "$3" "$4"; missed=1; }
}
of() { awk -F '\t' -v name="$1" -v column="$2" '$1 == name {print $column}' "$work/rows"; }
lint() { printf '%s\t' "$1"; shift; printf '%s\t' "$plimsoll" lint --quiet --policy "$work/every-rule.yaml"; (IFS=$'\t'; printf '%s\n' "$*"); }

if [ "${1:-}" = shapes ]; then
  python3 benches/dockerfile_shapes.py "$work/shapes"
  (cd "$work/shapes"; for shape in *; do lint "$shape" --output json=/dev/null "$work/shapes/$shape"; done) | python3 "$work/measure.py" 1 > "$work/rows"
  printf '%-26s %8s %8s\n' shape 'CPU s' 'peak MB'
  awk -F '\t' '{printf "%-26s %8.2f %8.0f\n", $1, $2, $4}' "$work/rows"
  while IFS=$'\t' read -r name cpu _; do bar "$name, CPU seconds" "$cpu" '<' 1; done < "$work/rows"
  exit "$missed"
fi

files=$(realpath "${PLIMSOLL_CORPUS:-../shared}")/corpus/dockerfiles/dev/files
[ -d "$files" ] || { echo "$files is missing" >&2; exit 2; }
cd "$files"
hadolint=${HADOLINT-$(command -v hadolint || true)}
buildctl=${BUILDCTL-$(command -v buildctl || true)}
printf 'FROM alpine:3.22\nRUN apk add --no-cache curl\nUSER 1000\nCMD ["curl", "--version"]\n' > "$work/small"
{
  lint text --output text=/dev/null -- *
  lint json --output json=/dev/null -- *
  printf 'small\t%s\tlint\t--quiet\t%s\n' "$plimsoll" "$work/small"
  [ -z "$hadolint" ] || { printf 'hadolint\t%s\t--no-fail\t' "$hadolint"; (IFS=$'\t'; set -- *; printf '%s\n' "$*"); }
} | python3 "$work/measure.py" "${RUNS:-5}" > "$work/rows"
[ -n "$hadolint" ] || echo "hadolint is not installed: not compared"
[ -n "$buildctl" ] || echo "BuildKit's checks are not installed: not compared"
printf '%-12s %8s %8s %8s\n' "$(find . -type f | wc -l) files" 'CPU s' 'wall s' 'peak MB'
awk -F '\t' '{printf "%-12s %8.3f %8.3f %8.1f\n", $1, $2, $3, $4}' "$work/rows"
for format in text json; do
  bar "all files, $format, CPU seconds" "$(of "$format" 2)" '<' 0.5
  bar "all files, $format, peak MB" "$(of "$format" 4)" '<' 30
done
bar "one small file, wall seconds" "$(of small 3)" '<' 0.010
[ -z "$hadolint" ] || bar "times faster than hadolint" "$(awk -v ours="$(of text 2)" -v theirs="$(of hadolint 2)" 'BEGIN {printf "%.0f", theirs / ours}')" '>=' 50
exit "$missed"
