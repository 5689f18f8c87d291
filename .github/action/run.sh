#!/usr/bin/env bash
# Body of the composite action. Inputs come as PLIMSOLL_INPUT_* from the environment and are never evaluated as shell text.
# The binary is the one whose SHA-256 stands in checksums.txt beside this file, so that a pinned action pins its binary;
# where there is none for this platform it is built from the action's own source with cargo.
set -euo pipefail
out=${PLIMSOLL_INPUT_OUTPUT_DIR:-plimsoll-reports}
status=2

# Whatever happens, the outputs say how it ended; a report is named only where there is one, and a pass only where the report says so.
finish() {
  local code=$? verdict=error digest="" sarif="" json=""
  [ "$status" = 2 ] || code=$status
  if [ -f "$out/plimsoll.json" ]; then json=$out/plimsoll.json; fi
  if [ -f "$out/plimsoll.sarif" ]; then sarif=$out/plimsoll.sarif; fi
  case $code in
    0) if grep -q '"schema": "plimsoll/report/1"' "$out/plimsoll.json" 2> /dev/null; then verdict=pass; else code=2; fi ;;
    1) if [ "$status" = 1 ]; then verdict=fail; else code=2; fi ;;
    3) verdict=incomplete ;;
    *) code=2 ;;
  esac
  if [ -n "$json" ] && command -v jq > /dev/null; then
    digest=$(jq -r '.image.digest // ""' "$json" | tr -cd 'a-z0-9:')
  fi
  printf 'verdict=%s\nexit-code=%s\ndigest=%s\nsarif-file=%s\njson-file=%s\n' "$verdict" "$code" "$digest" "$sarif" "$json" >> "${GITHUB_OUTPUT:-/dev/null}"
  exit "$code"
}
trap finish EXIT

case $out in *$'\n'* | *$'\r'* | -*) out=plimsoll-reports; echo "plimsoll: output-dir must be one line and not begin with a dash" >&2; exit 2 ;; esac
mkdir -p -- "$out"
rm -f -- "$out/plimsoll.sarif" "$out/plimsoll.json"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
work=${RUNNER_TEMP:-$(mktemp -d)}

fetch() {
  local file="plimsoll-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)" digest version
  read -r digest _ version < <(grep -F "  $file  " "$here/checksums.txt" || true) || return 1
  [ -n "${version:-}" ] || return 1
  local at="$work/plimsoll-$digest"
  if [ ! -x "$at" ]; then
    curl --proto '=https' --tlsv1.2 -fsSL --retry 3 -o "$at.part" "${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_ACTION_REPOSITORY:?}/releases/download/$version/$file"
    printf '%s  %s\n' "$digest" "$at.part" | sha256sum --check --status || { echo "plimsoll: the downloaded binary does not have the pinned digest $digest" >&2; exit 2; }
    chmod +x "$at.part"
    mv "$at.part" "$at"
  fi
  binary=$at
}
binary=${PLIMSOLL_BINARY:-}
if [ -z "$binary" ] && ! fetch; then
  echo "plimsoll: no release binary for this platform, building from source" >&2
  cargo build --release --locked --manifest-path "$source/Cargo.toml" --target-dir "$work/plimsoll-target" >&2
  binary=$work/plimsoll-target/release/plimsoll
fi

command=${PLIMSOLL_INPUT_COMMAND:-gate}
case $command in gate | scan | lint | verify) ;; *) echo "plimsoll: command must be gate, scan, lint or verify" >&2; exit 2 ;; esac
lines() { while IFS= read -r line || [ -n "$line" ]; do [ -z "$line" ] || printf '%s\0' "$line"; done <<< "$1"; }
arguments=("$command")
operands=()
while IFS= read -r -d '' file; do
  case $command in
    lint) operands+=("$file") ;;
    gate) arguments+=("--dockerfile=$file") ;;
    *) echo "plimsoll: the input \`dockerfile\` is for gate and lint, not for $command" >&2; exit 2 ;;
  esac
done < <(lines "${PLIMSOLL_INPUT_DOCKERFILE:-}")
while IFS= read -r -d '' policy; do arguments+=("--policy=$policy"); done < <(lines "${PLIMSOLL_INPUT_POLICY:-}")
while IFS= read -r -d '' argument; do arguments+=("$argument"); done < <(lines "${PLIMSOLL_INPUT_ARGS:-}")
arguments+=(--output text "--output=sarif-github=$out/plimsoll.sarif" "--output=json=$out/plimsoll.json")
if [ "$command" != lint ]; then
  [ -n "${PLIMSOLL_INPUT_IMAGE:-}" ] || { echo "plimsoll: the input \`image\` is empty" >&2; exit 2; }
  operands+=("$PLIMSOLL_INPUT_IMAGE")
fi

status=0
"$binary" "${arguments[@]}" -- "${operands[@]}" || status=$?
