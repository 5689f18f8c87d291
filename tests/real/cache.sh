#!/usr/bin/env bash
# Sixteen processes on one layer cache, killed at random: cache.sh PLIMSOLL IMAGE... (references; default: the demonstration image)
#
# Each of ROUNDS=200 rounds starts 16 inventories on one cache folder, kills about half of them with SIGKILL after a random time, and compares what the
# others printed with what a run without a cache prints. Every fourth round begins with an empty cache, every fifth damages an entry.
# At the end one more run of each image on the cache that is left must print the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=$(realpath "$1")
shift
images=("$@")
[ ${#images[@]} -gt 0 ] || images=(oci:testdata/images/vulnerable:v1)
rounds=${ROUNDS:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1795000000
RANDOM=${SEED:-1}
# The shell tells of every process that is killed; nobody wants to read that.
exec 3>&2 2> "$work/shell"
fail() { printf 'FAIL  %s\n' "$1" >&3; exit 1; }

run() { # run IMAGE OUT OPTIONS...: prints nothing, writes standard output and the exit code to OUT
  local image=$1 out=$2 code=0
  shift 2
  "$plimsoll" inventory "$image" --quiet "$@" > "$out" 2> "$out.err" || code=$?
  echo "exit $code" >> "$out"
}

for at in "${!images[@]}"; do
  run "${images[at]}" "$work/truth.$at" --no-cache
  grep -q '^exit [013]$' "$work/truth.$at" || fail "${images[at]} cannot be read: $(cat "$work/truth.$at.err")"
done

compared=0 killed=0 longest=0
for ((round = 1; round <= rounds; round++)); do
  ((round % 4)) || rm -rf "$work/cache"
  if ! ((round % 5)); then
    entry=$(find "$work/cache/layers" -type f ! -name '.new-*' 2> /dev/null | head -n 1 || true)
    [ -z "$entry" ] || printf 'damage' | dd of="$entry" bs=1 seek=$((RANDOM % $(stat -c %s "$entry"))) conv=notrunc status=none
  fi
  pids=() outs=() ats=()
  begun=$(date +%s%N)
  for ((process = 0; process < 16; process++)); do
    at=$((RANDOM % ${#images[@]}))
    out=$work/out.$process
    # The shell that would note the exit code is left out, so that the signal hits the program itself.
    "$plimsoll" inventory "${images[at]}" --quiet --cache-dir "$work/cache" > "$out" 2> "$out.err" &
    pids+=($!) outs+=("$out") ats+=("$at")
  done
  for ((process = 0; process < 8; process++)); do
    sleep "0.00$((RANDOM % 10))"
    kill -KILL "${pids[RANDOM % 16]}" 2> /dev/null || true
  done
  for process in "${!pids[@]}"; do
    code=0
    wait "${pids[process]}" 2> /dev/null || code=$?
    if ((code == 137)); then
      killed=$((killed + 1))
      continue
    fi
    echo "exit $code" >> "${outs[process]}"
    cmp -s "${outs[process]}" "$work/truth.${ats[process]}" || fail "round $round: ${images[ats[process]]} differs: $(head -n 3 "${outs[process]}.err")"
    compared=$((compared + 1))
  done
  took=$((($(date +%s%N) - begun) / 1000000))
  ((took <= longest)) || longest=$took
done
[ "$killed" -gt 0 ] || fail "no process was killed"

for at in "${!images[@]}"; do
  run "${images[at]}" "$work/last" --cache-dir "$work/cache"
  cmp -s "$work/last" "$work/truth.$at" || fail "the cache that is left gives another result for ${images[at]}"
done
left=$(find "$work/cache/layers" -type f ! -name '.new-*' | wc -l)
printf 'ok    %s rounds, %s runs compared, %s killed, %s entries left, longest round %s ms\n' "$rounds" "$compared" "$killed" "$left" "$longest"
