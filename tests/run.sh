#!/usr/bin/env bash
# Sets up and runs every test: tests/run.sh
#
# Needs Rust. What the tests against real servers need (docker-registry, skopeo, htpasswd, the SARIF multitool) is installed
# through this machine's ordinary package clients where it may be, and skipped loudly, by name, where it may not.
# Settings: PLIMSOLL_CORPUS   folder of the large corpora (default: ../shared where it exists); tests on them skip without it
#           PLIMSOLL_IMAGES   folder of the real images (default: target/images, built here when root and the corpora are there)
#           PLIMSOLL_HOSTILE  folder of the hostile images (default: target/hostile, built here when python3, xz, zstd and the corpora are there)
#           PLIMSOLL_LINES    all: build every Dockerfile of the line tests with every builder, not eight of them
#           PLIMSOLL_NO_SETUP 1: install and build nothing beyond cargo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
started=$SECONDS
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/tools
skipped=()
skip() { skipped+=("$1"); printf 'SKIP  %s\n' "$1" >&2; }
# Runs a script and takes over what it says that it skipped; its exit code counts.
take_skips() {
  local log=$target/skips.log status=0 line
  "$@" 2> "$log" || status=$?
  cat "$log" >&2
  while read -r line; do skipped+=("$line"); done < <(sed -n 's/^SKIP  //p' "$log")
  return "$status"
}
step() { printf '\n== %s (%ss)\n' "$1" "$((SECONDS - started))" >&2; }

if [ -z "${PLIMSOLL_CORPUS:-}" ] && [ -f ../shared/README.md ]; then
  PLIMSOLL_CORPUS=$(cd ../shared && pwd)
  export PLIMSOLL_CORPUS
fi
[ -n "${PLIMSOLL_CORPUS:-}" ] || skip "everything on the large corpora: PLIMSOLL_CORPUS is not set"

step "setup"
if [ "${PLIMSOLL_NO_SETUP:-}" != 1 ]; then
  wanted=()
  for pair in docker-registry:docker-registry skopeo:skopeo htpasswd:apache2-utils openssl:openssl zstd:zstd debootstrap:debootstrap rpm:rpm umoci:umoci jq:jq \
    pigz:pigz zip:zip unzip:unzip xxd:xxd xz:xz-utils; do
    command -v "${pair%%:*}" > /dev/null || wanted+=("${pair#*:}")
  done
  [ -x /usr/bin/time ] || wanted+=(time)
  if [ ${#wanted[@]} -gt 0 ] && command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"; } > /dev/null 2>&1 ||
      skip "installing ${wanted[*]}: apt-get refused"
  fi
  if [ ! -x "$tools/ministack/bin/hypercorn" ] && command -v python3 > /dev/null; then
    mkdir -p "$tools"
    { python3 -m venv "$tools/ministack" && "$tools/ministack/bin/pip" install --quiet ministack==1.5.33 cryptography; } > /dev/null 2>&1 ||
      skip "the ECR-like registry: ministack could not be installed"
  fi
  if [ ! -x "$tools/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool" ] && command -v npm > /dev/null; then
    mkdir -p "$tools"
    npm install --silent --no-audit --no-fund --prefix "$tools" @microsoft/sarif-multitool-linux@5.7.0 > /dev/null 2>&1 || true
  fi
fi
for tool in docker-registry skopeo htpasswd openssl; do
  command -v "$tool" > /dev/null || skip "tests that need $tool: it is not installed"
done
multitool=$tools/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
if [ -f "$multitool" ]; then
  chmod +x "$multitool"
  export PLIMSOLL_SARIF_MULTITOOL=$multitool DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
else
  skip "validation by the SARIF multitool: npm could not install it"
fi

step "build"
mkdir -p "$target"
free=$(df -Pk "$target" | awk 'NR == 2 { print int($4 / 1048576) }')
[ "$free" -ge 14 ] || printf 'NOTE  The tests take about 14 GiB of disk, and %s has %s GiB free. If they fail for want of space, free some or set CARGO_TARGET_DIR to a larger disk.\n' "$target" "$free" >&2
# A run that starts from nothing has no use for what incremental compilation keeps, and it fills the disk.
[ -d "$target/debug/incremental" ] || export CARGO_INCREMENTAL=0
cargo build --locked --bins
cargo test --locked --no-run

step "images"
images=${PLIMSOLL_IMAGES:-$target/images}
if [ ! -d "$images/oci/debian-python" ] && [ -n "${PLIMSOLL_CORPUS:-}" ] && [ "${PLIMSOLL_NO_SETUP:-}" != 1 ] && [ "$(id -u)" = 0 ] && command -v debootstrap > /dev/null; then
  bash "$PLIMSOLL_CORPUS/images/build.sh" "$images" alpine multiarch amazonlinux whiteouts links debian debian_python debian_node debian_ruby java godistroless rust phpnet encodings many secrets archives hostile > "$target/images.log" 2>&1 ||
    skip "some real images: building them failed, see $target/images.log"
fi
if [ -d "$images/oci" ]; then
  PLIMSOLL_IMAGES=$(cd "$images" && pwd)
  export PLIMSOLL_IMAGES
else
  skip "tests on the real images: they are built only as root, with debootstrap and the corpora"
fi

hostile=${PLIMSOLL_HOSTILE:-$target/hostile}
if [ ! -f "$hostile/hostile.tsv" ] && [ -n "${PLIMSOLL_CORPUS:-}" ] && [ "${PLIMSOLL_NO_SETUP:-}" != 1 ] && command -v python3 > /dev/null; then
  python3 "$PLIMSOLL_CORPUS/images/hostile.py" "$hostile" > "$target/hostile.log" 2>&1 || skip "hostile images: building them failed, see $target/hostile.log"
fi
if [ -f "$hostile/hostile.tsv" ]; then
  PLIMSOLL_HOSTILE=$(cd "$hostile" && pwd)
  export PLIMSOLL_HOSTILE
else
  skip "tests on the hostile images of the corpora: they are not built"
fi

step "tests"
cargo test --locked --no-fail-fast

if [ -n "${PLIMSOLL_IMAGES:-}" ] && [ -n "${PLIMSOLL_CORPUS:-}" ]; then
  step "real images against their native package managers"
  bash tests/real/images.sh "$PLIMSOLL_IMAGES"
fi

if [ -n "${PLIMSOLL_IMAGES:-}" ]; then
  step "bills of materials: schemas, reference validators and a peer's reader"
  SBOM_VENV=$tools/sbom take_skips bash tests/real/sbom.sh "$PLIMSOLL_IMAGES" "$target/debug/plimsoll"
fi

if [ -n "${PLIMSOLL_IMAGES:-}" ] && command -v jq > /dev/null; then
  step "what is in real images besides packages"
  bash tests/real/secrets.sh "$PLIMSOLL_IMAGES"
fi

if [ -n "${PLIMSOLL_IMAGES:-}" ]; then
  step "the same bytes with one thread and with four, in every format"
  bash tests/real/identical.sh "$PLIMSOLL_IMAGES"
fi

if [ -n "${PLIMSOLL_HOSTILE:-}" ] && [ -x /usr/bin/time ] && command -v jq > /dev/null; then
  step "hostile images: outcome, time and memory"
  bash tests/real/hostile.sh "$PLIMSOLL_HOSTILE"
else
  skip "time and memory of the hostile images: they, GNU time or jq are missing"
fi

if command -v python3 > /dev/null; then
  step "rules: every id of another linter, every fixture"
  python3 tests/rules.py "$target/debug/plimsoll"
fi

step "sixteen processes on one layer cache, killed at random"
bash tests/real/cache.sh "$target/debug/plimsoll"

step "container engines"
take_skips bash tests/real/daemons.sh

if [ -n "${PLIMSOLL_IMAGES:-}" ] && command -v python3 > /dev/null; then
  step "lines of Dockerfiles, built by every builder that is here"
  # All 29 take a quarter of an hour; PLIMSOLL_LINES=all builds them.
  cases=(apk-database-touched arguments exec-form npm-copies stages-in-a-chain scratch heredocs dpkg-and-npm)
  [ "${PLIMSOLL_LINES:-}" != all ] || cases=()
  take_skips python3 tests/real/lines.py "$PLIMSOLL_IMAGES" "$target/debug/plimsoll" "${cases[@]}"
else
  skip "lines of Dockerfiles: the real images or python3 are missing"
fi

if [ -n "${PLIMSOLL_CORPUS:-}" ]; then
  step "signing cases through the binary"
  python3 tests/real/signing.py
fi

step "real registries"
[ ! -x "$tools/ministack/bin/hypercorn" ] || export MINISTACK=$tools/ministack/bin/hypercorn
take_skips bash tests/real/registries.sh "" ""

step "the advisory database through a real registry"
take_skips bash tests/real/database.sh ""

step "done"
printf '%s part(s) skipped\n' "${#skipped[@]}" >&2
[ ${#skipped[@]} = 0 ] || printf '  %s\n' "${skipped[@]}" >&2
