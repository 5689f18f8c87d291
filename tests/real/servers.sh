# Servers that a script starts and surely ends; sourced by daemons.sh and registries.sh.
# Sets work (a temporary folder), passed, failed and skipped. Whatever way the script ends, its servers and what they started, their mounts and
# the folder are gone.
work=$(mktemp -d)
pids=()
passed=0 failed=0 skipped=0
has() { command -v "$1" > /dev/null; }
skip() { skipped=$((skipped + 1)); printf 'SKIP  %s\n' "$1" >&2; }
good() { passed=$((passed + 1)); printf '%-5s %-46s %s\n' "$1" "$2" "$3"; }
bad() { failed=$((failed + 1)); printf 'DIFF  %-46s %s\n' "$1" "$2"; }
summary() { printf '%s passed, %s failed, %s skipped, %s s\n' "$passed" "$failed" "$skipped" "$SECONDS"; [ "$failed" = 0 ]; }
alive() { kill -0 "$1" 2> /dev/null; }
children() { # PID: all processes that it started, and those that they started
  local child
  for child in $(pgrep -P "$1" || true); do echo "$child"; children "$child"; done
}
finish() {
  local pid all=()
  set +e
  for pid in "${pids[@]}"; do all+=("$pid" $(children "$pid")); done
  # What was started first is asked first: it ends its children itself.
  for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null; done
  for _ in $(seq 100); do
    for pid in "${all[@]}"; do alive "$pid" && { sleep 0.1; continue 2; }; done
    break
  done
  for pid in "${all[@]}"; do alive "$pid" && kill -KILL "$pid" 2> /dev/null; done
  wait "${pids[@]}" 2> /dev/null
  # Mounts within others come last in the list.
  cut -d ' ' -f 2 /proc/mounts 2> /dev/null | grep -F "$work/" | tac | while read -r mount; do umount "$mount"; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# certificate NAME SUBJECT-ALTERNATIVE-NAME [USE]: NAME.pem and NAME.key in the folder, by the authority in certs/ca.crt and ca.key, which is made when
# there is none.
certificate() {
  local curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  if [ ! -f "$work/certs/ca.crt" ]; then
    mkdir -p "$work/certs"
    openssl req -x509 "${curve[@]}" -keyout "$work/ca.key" -out "$work/certs/ca.crt" -days 2 -subj /CN=test-authority 2> /dev/null
  fi
  printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=%s\n' "$2" "${3:-serverAuth}" > "$work/$1.ext"
  openssl req "${curve[@]}" -keyout "$work/$1.key" -out "$work/$1.csr" -days 2 -subj "/CN=$1" 2> /dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/certs/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -out "$work/$1.pem" -days 2 -extfile "$work/$1.ext" 2> /dev/null
}
