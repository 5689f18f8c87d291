#!/usr/bin/env bash
# Runs the fuzz targets one after another and prints how often each was executed: fuzz/run.sh SECONDS [TARGET ...]
#
# SECONDS is per target. Needs a nightly toolchain and cargo-fuzz. PLIMSOLL_HOSTILE, the folder of the hostile images, gives more seeds.
# PLIMSOLL=path of a built program gives the seeds of shards.
# SANITIZER is address or none (twice as fast, and enough for Rust without unsafe code); the default is address.
# What a target finds lies in fuzz/artifacts/TARGET; exit 1 when there is anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
seconds=${1:?how many seconds for each target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(archive config dockerfile dockerignore elf feed jar macho manifest pe record reference rpm-bdb rpm-ndb rpm-sqlite shard shell tar version)
# The product's own versions of everything.
[ -f Cargo.lock ] || cp ../Cargo.lock Cargo.lock
python3 seeds.py corpus ${PLIMSOLL_HOSTILE:+"$PLIMSOLL_HOSTILE/oci"}
mkdir -p artifacts
found=0
for target in "${targets[@]}"; do
  options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0)
  case $target in
    config | manifest) options+=(-dict=json.dict -max_len=16384) ;;
    dockerfile) options+=(-dict=dockerfile.dict -max_len=16384) ;;
    dockerignore) options+=(-max_len=1024) ;;
    shell) options+=(-dict=shell.dict -max_len=4096) ;;
    reference) options+=(-max_len=512) ;;
    version) options+=(-max_len=1600) ;;
    *) options+=(-max_len=65536) ;;
  esac
  status=0
  cargo +nightly fuzz run --fuzz-dir . --sanitizer "${SANITIZER:-address}" "$target" -- "${options[@]}" > "artifacts/$target.log" 2>&1 || status=$?
  execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "artifacts/$target.log")
  peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "artifacts/$target.log")
  if [ "$status" = 0 ]; then
    printf 'clean  %-10s %s execs in %s s, %s MB\n' "$target" "$execs" "$seconds" "$peak"
  else
    found=1
    printf 'FOUND  %-10s after %s execs\n' "$target" "${execs:-?}"
    grep -E -A 20 'panicked|ERROR|SUMMARY' "artifacts/$target.log" | head -n 40 || tail -n 20 "artifacts/$target.log"
  fi
done
exit "$found"
