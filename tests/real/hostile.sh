#!/usr/bin/env bash
# Takes the inventory of every hostile image and prints a table: image, expected, got, seconds, peak memory.
#
#   tests/real/hostile.sh HOSTILE [PLIMSOLL]
#
# HOSTILE is what the corpus's images/hostile.py wrote; PLIMSOLL the binary (default: the release build if there is one, else the debug build).
# PLIMSOLL_IMAGES, what images/build.sh wrote, adds its five hostile images. Needs jq and GNU time.
# Exit 1 when an outcome or a package differs, or when an image needs more than MAX_SECONDS (5) or MAX_MB (100). Those bars are a release build's;
# a debug build, several times slower and 20 MB larger by itself, is held to 60 and 130.
set -euo pipefail
hostile=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
built=${CARGO_TARGET_DIR:-target}
plimsoll=${2:-$built/release/plimsoll}
[ -x "$plimsoll" ] || plimsoll=$built/debug/plimsoll
case $plimsoll in
  */debug/*) seconds_bar=${MAX_SECONDS:-60} mb_bar=${MAX_MB:-130} ;;
  *) seconds_bar=${MAX_SECONDS:-5} mb_bar=${MAX_MB:-100} ;;
esac
time=/usr/bin/time
[ -x "$time" ] || { echo "GNU time is not installed" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  awk -v folder="$hostile/oci" -F '\t' '{ print folder "/" $1 "\t" $2 "\t" $3 "\t" $4 }' "$hostile/hostile.tsv"
  images=${PLIMSOLL_IMAGES:-}
  if [ -d "$images/oci/hostile-names" ]; then
    printf '%s/oci/hostile-%s\t%s\t%s\t%s\n' "$images" names gap "dup folded" "noversion half bad" "$images" gzipbomb read - - \
      "$images" digest refuse - - "$images" short refuse - - "$images" digest-valid refuse - -
  fi
} > "$work/rows"
count=0 missed=0
printf '%-5s %-24s %-7s %-7s %7s %5s\n' '' image wanted got seconds MB
while IFS=$'\t' read -r layout wanted found absent; do
  count=$((count + 1))
  rm -f "$work"/out.*
  status=0
  "$time" -q -f '%e %M' -o "$work/time" "$plimsoll" inventory "oci:$layout" --no-cache --platform linux/amd64 --output "json=$work/out.json" --output "cyclonedx=$work/out.cdx.json" \
    > /dev/null 2> "$work/err" || status=$?
  read -r seconds kib < <(tail -n 1 "$work/time")
  why=()
  case $status in
    2) got=refuse ;;
    0 | 1 | 3)
      gaps=$(jq '.gaps | length' "$work/out.json")
      others=$(jq '[.gaps[] | select(.kind != "nothing-inventoried")] | length' "$work/out.json")
      packages=$(jq '[.components[]?] | length' "$work/out.cdx.json")
      # An image in which nothing is to be found is read, although that is a Gap of its own.
      if [ "$gaps" = 0 ] || [ "$wanted:$others:$packages" = read:0:0 ]; then got=read; else got=gap; fi
      names=" $(jq -r '[.components[]?.name] | join(" ")' "$work/out.cdx.json") "
      for name in ${found/#-/}; do [[ $names == *" $name "* ]] || why+=("no $name"); done
      for name in ${absent/#-/}; do [[ $names != *" $name "* ]] || why+=("has $name"); done
      ;;
    *) got="exit $status" ;;
  esac
  [ "$got" = "$wanted" ] || why+=("outcome")
  awk -v s="$seconds" -v m="$seconds_bar" 'BEGIN { exit !(s > m) }' && why+=("too slow")
  [ "$kib" -le $((mb_bar * 1000)) ] || why+=("too much memory")
  [ ${#why[@]} = 0 ] && word=ok || { word=MISS; missed=$((missed + 1)); }
  printf '%-5s %-24s %-7s %-7s %7s %5s %s\n' "$word" "$(basename "$layout")" "$wanted" "$got" "$seconds" "$((kib / 1000))" "${why[*]:-}"
done < "$work/rows"
printf '%s images, %s not as wanted; bars: %s s, %s MB\n' "$count" "$missed" "$seconds_bar" "$mb_bar"
[ "$missed" = 0 ]
