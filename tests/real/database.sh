#!/usr/bin/env bash
# The advisory database through a real registry: pushed and signed, pulled and checked, and everything that may go wrong on the way.
#
#   tests/real/database.sh [PLIMSOLL]
#
# PLIMSOLL is the binary (default, or when empty: target/debug/plimsoll). Needs docker-registry, python3, jq, curl, openssl; skipped by name where
# one is not installed. With cosign (or its path in COSIGN), cosign verifies our signature and makes a key that we sign with. Exit 1 on any difference.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
plimsoll=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/debug/plimsoll}")
. tests/real/servers.sh
for tool in docker-registry python3 jq curl openssl; do has "$tool" || { skip "the database in a registry: $tool is not installed"; exit 0; }; done
export HOME=$work/home DOCKER_CONFIG=$work/home/.docker SOURCE_DATE_EPOCH=1795000000 AWS_EC2_METADATA_DISABLED=true
unset REGISTRY_AUTH_FILE XDG_RUNTIME_DIR PLIMSOLL_DB PLIMSOLL_DB_FROM PLIMSOLL_DB_SIGNED_BY COSIGN_PASSWORD
mkdir -p "$HOME"

# Two states of the same feeds: in the second one npm knows one more problem.
cp -r testdata/advisory/osv "$work/feeds1"
cp -r testdata/advisory/osv "$work/feeds2"
python3 - "$work/feeds2/npm/all.zip" <<'PY'
import json, sys, zipfile
record = {"id": "PLIM-2026-7001", "modified": "2026-11-01T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "left-anchor"},
          "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "9.0.0"}]}]}]}
with zipfile.ZipFile(sys.argv[1], "a") as archive:
    archive.writestr("PLIM-2026-7001.json", json.dumps(record))
PY
for state in 1 2; do timeout 60 "$plimsoll" db build --from "$work/feeds$state" --db "$work/db$state" > "$work/build.log"; done

# Keys: ours, and somebody else's.
for name in ours other; do
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$name.key" 2> /dev/null
  openssl pkey -in "$work/$name.key" -pubout -out "$work/$name.pub"
done

serve() { # NAME: a registry that says what it is asked; sets host
  host=127.0.0.1:$(free_port)
  printf 'version: 0.1\nlog: {level: info, accesslog: {disabled: false}}\nstorage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\nhttp: {addr: %s}\n' "$work/$1" "$host" > "$work/$1.yml"
  docker-registry serve "$work/$1.yml" > "$work/$1.log" 2>&1 & pids+=($!)
  for _ in $(seq 100); do
    curl -s -o /dev/null --max-time 2 "http://$host/v2/" && return 0
    sleep 0.1
  done
  bad "$1" "does not start: $(tail -n 1 "$work/$1.log")"
  exit 1
}
serve first; first=$host
serve second; second=$host

run() { # CODE COMMAND...: runs it, and keeps what it prints; says whether the exit code is the wanted one
  local wanted=$1 status=0
  shift
  timeout 60 "$plimsoll" db "$@" > "$work/out" 2> "$work/err" || status=$?
  [ "$status" = "$wanted" ] || { bad "db $1" "exit $status, not $wanted: $(cat "$work/out" "$work/err" | tr '\n' ' ')"; return 1; }
}
says() { # NAME CODE TEXT COMMAND...: exit code and text
  local name=$1 wanted=$2 text=$3
  shift 3
  run "$wanted" "$@" || { bad "$name" "see above"; return 0; }
  if cat "$work/out" "$work/err" | grep -qF -- "$text"; then
    good ok "$name" "exit $wanted  $(cat "$work/out" "$work/err" | grep -m 1 -F -- "$text" | sed 's/^ *//' | cut -c 1-140)"
  else
    bad "$name" "exit $wanted without '$text': $(cat "$work/out" "$work/err" | tr '\n' ' ')"
  fi
}
# How often a registry was asked for something since the mark.
mark() { wc -l < "$work/$1.log" > "$work/$1.mark"; }
asked() { sleep 0.2; tail -n "+$(($(cat "$work/$1.mark") + 1))" "$work/$1.log" | grep -cE "$2" || true; }
equal() { # NAME EXPECTED ACTUAL
  if [ "$2" = "$3" ]; then good ok "$1" "$3"; else bad "$1" "is $3, not $2"; fi
}
state() { (cd "$1" && find . -name '*.plim*' -type f -exec sha256sum {} + | sort -k 2 | sha256sum | cut -c 1-16); }
nothing_left() { # NAME FOLDER: no temporary file of a pull
  local left
  left=$(find "$2" -maxdepth 1 -name '.pull-*' | wc -l)
  equal "$1" 0 "$left"
}

# Push.
says "push, signed" 0 ", signed" push "$first/team/db:v1" --key "$work/ours.key" --db "$work/db1"
digest1=$(sed -n 's/^pushed: .*@//p' "$work/out")
says "the same database is the same artifact" 0 "$digest1" push "$first/team/db:v1" --key "$work/ours.key" --db "$work/db1"
grep -q 'was signed before' "$work/out" && grep -q ' 0 blobs sent' "$work/out" && good ok "nothing is sent or signed twice" "$(grep 'blobs sent' "$work/out")" || bad "nothing is sent or signed twice" "$(cat "$work/out")"
says "only what changed is sent" 0 " 2 blobs sent (" push "$first/team/db:v2" --key "$work/ours.key" --db "$work/db2"
run 0 push "$first/team/db:v2" --key "$work/ours.key" --db "$work/db2"
digest2=$(sed -n 's/^pushed: .*@//p' "$work/out")
run 0 push "$second/team/db:v1" --key "$work/ours.key" --db "$work/db1"
run 0 push "$second/team/db:v2" --key "$work/ours.key" --db "$work/db2"
run 0 push "$first/team/unsigned:v1" --db "$work/db1"

# Pull.
trust=(--signed-by "$work/ours.pub")
mark first
says "pull into a fresh folder" 0 "signed by" pull "$first/team/db:v1" "${trust[@]}" --db "$work/new"
equal "the shards are those that were pushed" "$(state "$work/db1")" "$(state "$work/new")"
shards=$(find "$work/new" -name '*.plimdb' | wc -l)
files=$(find "$work/new" -maxdepth 1 -name '*.plim*' | wc -l)
equal "one request for each file, and one for what was signed" "$((files + 1))" "$(asked first 'GET /v2/team/db/blobs/.* 200 ')"
nothing_left "nothing is left beside them" "$work/new"
says "status" 0 "npm" status --db "$work/new"
says "verify" 0 "signed by" verify "${trust[@]}" --db "$work/new"
mark first
says "pull again" 0 "transferred: 0 blobs" pull "$first/team/db:v1" "${trust[@]}" --db "$work/new"
equal "nothing but what was signed is fetched" 1 "$(asked first 'GET /v2/team/db/blobs/.* 200 ')"
mark first
says "pull what changed" 0 "fetched     npm" pull "$first/team/db:v2" "${trust[@]}" --db "$work/new"
equal "only the changed shard's two files are fetched" 3 "$(asked first 'GET /v2/team/db/blobs/.* 200 ')"
equal "the shards are the new ones" "$(state "$work/db2")" "$(state "$work/new")"
says "an older artifact does not replace newer shards" 0 "newer here  npm" pull "$first/team/db:v1" "${trust[@]}" --db "$work/new"
says "unless it is pinned" 0 "fetched     npm" pull "$first/team/db:v1" "${trust[@]}" --db "$work/new" --db-digest "$digest1"
says "another digest than the pinned one" 2 "is pinned to $digest1" pull "$first/team/db:v2" "${trust[@]}" --db "$work/new" --db-digest "$digest1"
equal "the old database stays" "$(state "$work/db1")" "$(state "$work/new")"
says "one shard alone" 0 "fetched     npm" pull "$first/team/db:v1" "${trust[@]}" --db "$work/one" --shard npm
equal "and no other" npm.plimdb "$(cd "$work/one" && ls *.plimdb)"
says "a shard that is not there" 2 "no shard \`dwarf\`" pull "$first/team/db:v1" "${trust[@]}" --db "$work/one" --shard dwarf

# Who signed.
says "a wrong signer" 2 "is not signed by whom it must be" pull "$first/team/db:v1" --signed-by "$work/other.pub" --db "$work/refused"
says "no signature" 2 "absent.signature" pull "$first/team/unsigned:v1" "${trust[@]}" --db "$work/refused"
says "nobody is trusted" 2 "nobody is trusted" pull "$first/team/db:v1" --db "$work/refused"
equal "nothing is put in place" 0 "$(find "$work/refused" -name '*.plim*' 2> /dev/null | wc -l)"
says "no signature, allowed" 0 "not signed by anybody" pull "$first/team/unsigned:v1" "${trust[@]}" --allow-unsigned-db --db "$work/loose"
says "verify it" 1 "absent.signature" verify "${trust[@]}" --db "$work/loose"
says "verify by nobody" 3 "nobody is trusted" verify --db "$work/loose"
says "verify, allowed" 0 "ok " verify --allow-unsigned-db --db "$work/loose"
says "verify with a wrong signer" 1 "BAD" verify --signed-by "$work/other.pub" --db "$work/new"
says "verify what was built here" 0 "built here" verify --db "$work/db1"
says "what was built here is not signed" 1 "no signed artifact holds it" verify "${trust[@]}" --db "$work/db1"
says "something else than a database" 2 "is no advisory database" pull "$first/team/db:sha256-${digest1#sha256:}.sig" "${trust[@]}" --db "$work/refused"

# Several registries.
says "the first one is down" 0 "passed over 127.0.0.1:1/team/db:v1" pull 127.0.0.1:1/team/db:v1 "$second/team/db:v1" "${trust[@]}" --db "$work/fallback"
says "the first one is of a wrong signer" 0 "passed over $first/team/unsigned:v1" pull "$first/team/unsigned:v1" "$second/team/db:v1" "${trust[@]}" --db "$work/fallback"
says "all of them are down" 2 "none of 2 places" pull 127.0.0.1:1/team/db:v1 127.0.0.1:2/team/db:v1 "${trust[@]}" --db "$work/fallback"
says "the old database is still good" 0 "signed by" verify "${trust[@]}" --db "$work/fallback"
says "a mirror" 0 "signed by" pull registry.example/team/db:v1 "${trust[@]}" --signed-as "$first/team/db" --registry-mirror "registry.example=$first" --db "$work/mirrored"

# The registry's storage is damaged.
blob_of() { curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$first/v2/team/db/manifests/$1" | jq -r --arg shard "$2" '.layers[] | select(.annotations["vnd.plimsoll.db.shard"] == $shard and (.mediaType | test("shard"))) | .digest'; }
data_of() { local hex=${1#sha256:}; echo "$work/first/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex/data"; }
flip() { # FILE OFFSET
  python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2]), 2 if int(sys.argv[2]) < 0 else 0); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 1]))' "$1" "$2"
}
npm2=$(data_of "$(blob_of v2 npm)")
cp "$npm2" "$work/npm2.good"
before=$(state "$work/new")
flip "$npm2" 40
says "a flipped byte" 2 "does not match its digest" pull "$first/team/db:v2" "${trust[@]}" --db "$work/new"
equal "the old database stays" "$before" "$(state "$work/new")"
nothing_left "nothing is left of the failed pull" "$work/new"
says "a flipped byte, and a second registry" 0 "passed over $first/team/db:v2" pull "$first/team/db:v2" "$second/team/db:v2" "${trust[@]}" --db "$work/rescued"
says "nor is it allowed" 2 "does not match its digest" pull "$first/team/db:v2" --allow-unsigned-db --db "$work/new"
rm "$npm2"
says "a missing layer" 2 "blob sha256:" pull "$first/team/db:v2" "${trust[@]}" --db "$work/new"
equal "the old database stays" "$before" "$(state "$work/new")"
cp "$work/npm2.good" "$npm2"
manifest=$(data_of "$digest2")
cp "$manifest" "$work/manifest.good"
flip "$manifest" -10
says "a flipped byte in the manifest" 2 "plimsoll: error" pull "$first/team/db:v2" "${trust[@]}" --db "$work/new"
cp "$work/manifest.good" "$manifest"
signature=$(curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$first/v2/team/db/manifests/sha256-${digest2#sha256:}.sig" | jq -r '.layers[0].digest')
payload=$(data_of "$signature")
cp "$payload" "$work/payload.good"
flip "$payload" 40
says "a flipped byte in what was signed" 2 "team/db:v2" pull "$first/team/db:v2" "${trust[@]}" --db "$work/new"
cp "$work/payload.good" "$payload"

# The folder is damaged.
cp -r "$work/new" "$work/damaged"
flip "$work/damaged/npm.plimdb" -100
says "a flipped byte in a shard" 1 "BAD   npm" verify "${trust[@]}" --db "$work/damaged"
says "pulled again, it is whole" 0 "fetched     npm" pull "$first/team/db:v1" "${trust[@]}" --db-digest "$digest1" --db "$work/damaged"
says "verify it" 0 "ok    npm" verify "${trust[@]}" --db "$work/damaged"

# Many at once, and killed in the middle.
rm -rf "$work/shared"
for round in $(seq 8); do
  at=()
  for process in 1 2 3 4; do
    timeout 60 "$plimsoll" db pull "$first/team/db:v$((process % 2 + 1))" "${trust[@]}" --db "$work/shared" > "$work/at.$process" 2>&1 & at+=($!)
  done
  for process in "${at[@]}"; do wait "$process" || bad "four pulls at once, round $round" "$(cat "$work"/at.*)"; done
  run 0 verify "${trust[@]}" --db "$work/shared" || break
done
says "four pulls at once, eight times" 0 "ok    npm" verify "${trust[@]}" --db "$work/shared"
# The points of the kills are spread over what one pull takes here, in microseconds; a pull that ends before its kill says that it takes less.
killed=0
[ -d "$work/db1.pulled" ] || run 0 pull "$first/team/db:v1" "${trust[@]}" --db "$work/db1.pulled"
took=10000000
for round in 1 2 3; do
  rm -rf "$work/killed"
  cp -r "$work/db1.pulled" "$work/killed"
  began=${EPOCHREALTIME/[.,]/}
  run 0 pull "$first/team/db:v2" "${trust[@]}" --db "$work/killed"
  needed=$((${EPOCHREALTIME/[.,]/} - began))
  if [ "$needed" -lt "$took" ]; then took=$needed; fi
done
for round in $(seq 30); do
  rm -rf "$work/killed"
  cp -r "$work/db1.pulled" "$work/killed"
  after=$((took * round / 31))
  "$plimsoll" db pull "$first/team/db:v2" "${trust[@]}" --db "$work/killed" > /dev/null 2>&1 & victim=$!
  sleep "$(printf '%d.%06d' $((after / 1000000)) $((after % 1000000)))"
  kill -KILL "$victim" 2> /dev/null || true
  wait "$victim" 2> /dev/null && { [ "$after" -lt "$took" ] && took=$after; continue; }
  killed=$((killed + 1))
  run 0 verify "${trust[@]}" --db "$work/killed" || break
  run 0 pull "$first/team/db:v2" "${trust[@]}" --db "$work/killed" || break
  [ "$(state "$work/killed")" = "$(state "$work/db2")" ] && [ -z "$(find "$work/killed" -maxdepth 1 -name '.pull-*')" ] || { bad "killed in the middle, round $round" "$(ls -A "$work/killed" | tr '\n' ' ')"; break; }
done
if [ "$killed" -gt 5 ]; then good ok "killed in the middle" "$killed of 30 pulls killed; what is left is signed, and the next pull completes it"; else bad "killed in the middle" "only $killed pulls were killed"; fi

# A gate that fetches what its inventory needs.
gate() { # NAME OPTIONS...: exit code and report
  local name=$1 status=0
  shift
  timeout 60 "$plimsoll" gate oci:testdata/images/vulnerable:v1 --platform linux/amd64 --no-cache --no-aws --policy testdata/images/unsigned-policy.yaml \
    --output "json=$work/$name.json" "$@" > "$work/out" 2> "$work/err" || status=$?
  echo "$status" > "$work/$name.exit"
}
comparable() { jq -S 'del(.sources[]?.details, .tool, .evaluatedAt)' "$1"; }
gate reference --db "$work/db1"
mark first
gate fetched --db-from "$first/team/db:v1" --db-signed-by "$work/ours.pub" --db "$work/lazy"
if cmp -s "$work/reference.exit" "$work/fetched.exit" && diff <(comparable "$work/reference.json") <(comparable "$work/fetched.json") > "$work/diff"; then
  good same "gate --db-from" "exit $(cat "$work/fetched.exit"); fetched: $(cd "$work/lazy" && ls *.plimdb | tr '\n' ' ')"
else
  bad "gate --db-from" "exit $(cat "$work/fetched.exit"), not $(cat "$work/reference.exit"): $(head -c 300 "$work/err" "$work/diff")"
fi
if [ "$(find "$work/lazy" -name '*.plimdb' | wc -l)" -lt "$shards" ]; then good ok "only the needed shards are fetched" "$(find "$work/lazy" -name '*.plimdb' | wc -l) of $shards"; else bad "only the needed shards are fetched" "all $shards"; fi
grep -q "$digest1" "$work/fetched.json" && good ok "the report names the artifact" "$digest1" || bad "the report names the artifact" "it does not"
gate outage --db-from 127.0.0.1:1/team/db:v1 --db-signed-by "$work/ours.pub" --db "$work/lazy"
equal "no registry answers: what was checked before serves" "$(cat "$work/reference.exit")" "$(cat "$work/outage.exit")"
gate wrong --db-from "$first/team/db:v1" --db-signed-by "$work/other.pub" --db "$work/lazy2"
gaps() { jq -r '[.gaps[]? | select(.source == "offline") | .kind] | unique | join(" ")' "$work/$1.json"; }
offline() { jq '[.findings[]? | select([.. | .source? // empty] | index("offline"))] | length' "$work/$1.json"; }
refused() { # NAME RUN FOLDER: the run said that the database is not trusted, used nothing of it, and put nothing in place
  local shards
  shards=$( (find "$3" -name '*.plimdb' 2> /dev/null || true) | wc -l)
  case " $(gaps "$2") " in *' untrusted-database '*) ;; *) bad "$1" "gaps: $(gaps "$2")"; return 0 ;; esac
  [ "$(cat "$work/$2.exit")" != 0 ] && [ "$(offline "$2")" = 0 ] && [ "$shards" = 0 ] && good ok "$1" "gap untrusted-database, no finding, no shard" || bad "$1" "exit $(cat "$work/$2.exit"), $(offline "$2") findings, $shards shards"
}
[ "$(offline fetched)" -gt 0 ] && good ok "there are findings to lose" "$(offline fetched)" || bad "there are findings to lose" "none"
refused "gate with a wrong signer" wrong "$work/lazy2"

# Shards that somebody else put into the folder: newer than all others, and knowing nothing.
mkdir -p "$work/feeds3/npm"
python3 - "$work/feeds3/npm/all.zip" <<'PY'
import json, sys, zipfile
record = {"id": "PLIM-2026-7002", "modified": "2026-11-21T00:00:00Z", "affected": [{"package": {"ecosystem": "npm", "name": "nobody-has-this"},
          "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.0.1"}]}]}]}
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("PLIM-2026-7002.json", json.dumps(record))
PY
timeout 60 "$plimsoll" db build --from "$work/feeds3" --db "$work/evil" > "$work/build.log"
plant() { cp "$work"/evil/npm.plim* "$work"/evil/npm.*.plimtext "$1/" 2> /dev/null || true; }
cp -r "$work/new" "$work/planted"; plant "$work/planted"
gate planted --db-from "$first/team/db:v2" --db-signed-by "$work/ours.pub" --db "$work/planted"
says "a planted shard is replaced" 0 "ok    npm" verify "${trust[@]}" --db "$work/planted"
plant "$work/planted"
says "by a pull as well" 0 "fetched     npm" pull "$first/team/db:v2" "${trust[@]}" --db "$work/planted"
plant "$work/planted"
gate planted --db "$work/planted" --db-signed-by "$work/ours.pub"
equal "gate on a folder with a planted shard" 2 "$(cat "$work/planted.exit")"
gate planted --db "$work/planted" --db-digest "$digest1"
equal "gate pinned, on a folder with a planted shard" 2 "$(cat "$work/planted.exit")"
gate unkeyed --db "$work/lazy" --db-signed-by "$work/absent.pub"
equal "gate with a key file that is not there" 2 "$(cat "$work/unkeyed.exit")"
printf 'version: 1\nextends: builtin:baseline\nname: signers\nsigners:\n  acme: { key: "%s", log: allow-missing }\n' "$work/ours.pub" > "$work/signers.yaml"
mkdir -p "$work/folder"; cp "$work/other.pub" "$work/folder/acme"
at=$(cd "$(dirname "$plimsoll")" && pwd)/$(basename "$plimsoll")
status=0; (cd "$work/folder" && timeout 60 "$at" db verify --policy "$work/signers.yaml" --signed-by acme --db "$work/lazy") > "$work/out" 2>&1 || status=$?
equal "a file with a signer's name" 2 "$status"

# Somebody else writes into the folder for longer than a gate may wait, and a file in it is broken.
if has flock; then
  exec 9> "$work/lazy/.lock"
  flock 9
  SECONDS=0
  gate busy --db-from "$first/team/db:v2" --db-signed-by "$work/ours.pub" --db "$work/lazy" --registry-timeout 4 9>&-
  waited=$SECONDS
  exec 9>&-
  equal "a gate beside another writer judges by what is signed" "$(cat "$work/reference.exit")" "$(cat "$work/busy.exit")"
  if [ "$waited" -lt 30 ]; then good ok "and does not wait longer than it may" "$waited s"; else bad "and does not wait longer than it may" "$waited s"; fi
else
  skip "a gate beside another writer: flock is not installed"
fi
cp -r "$work/new" "$work/foreign"
echo broken > "$work/foreign/zzz.plimdb"
says "a broken file of somebody else's is told" 2 "remove zzz.plimdb" pull "$first/team/db:v2" "${trust[@]}" --db "$work/foreign"
gate nobody --db-from "$first/team/db:v1" --db "$work/lazy2"
equal "gate that trusts nobody" 2 "$(cat "$work/nobody.exit")"
gate pinned --db "$work/lazy" --db-digest "$digest2"
equal "gate pinned to another artifact" 2 "$(cat "$work/pinned.exit")"
gate pinned --db "$work/lazy" --db-digest "$digest1"
equal "gate pinned to this artifact" "$(cat "$work/reference.exit")" "$(cat "$work/pinned.exit")"

# A registry that wants to know who writes.
if has htpasswd; then
  host=127.0.0.1:$(free_port)
  htpasswd -Bbn writer 'open sesame' > "$work/htpasswd"
  printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\nauth: {htpasswd: {realm: test, path: %s}}\n' "$work/locked" "$host" "$work/htpasswd" > "$work/locked.yml"
  docker-registry serve "$work/locked.yml" > "$work/locked.log" 2>&1 & pids+=($!)
  for _ in $(seq 100); do curl -s -o /dev/null --max-time 2 "http://$host/v2/" && break; sleep 0.1; done
  jq -n --arg host "$host" '{auths: {($host): {auth: ("writer:open sesame" | @base64)}}}' > "$work/docker.json"
  jq -n --arg host "$host" '{auths: {($host): {auth: ("writer:wrong" | @base64)}}}' > "$work/wrong.json"
  says "push without a password" 2 "no credentials for $host were found" push "$host/team/db:v1" --key "$work/ours.key" --db "$work/db1"
  says "push with a wrong password" 2 "are not accepted" push "$host/team/db:v1" --key "$work/ours.key" --db "$work/db1" --docker-config "$work/wrong.json"
  says "push with a password" 0 ", signed" push "$host/team/db:v1" --key "$work/ours.key" --db "$work/db1" --docker-config "$work/docker.json"
  says "pull with a password" 0 "signed by" pull "$host/team/db:v1" "${trust[@]}" --db "$work/unlocked" --docker-config "$work/docker.json"
else
  skip "pushing with a password: htpasswd is not installed"
fi

# What the reference client makes of it.
cosign=${COSIGN:-$(command -v cosign || true)}
if [ -n "$cosign" ]; then
  if timeout 60 "$cosign" verify --key "$work/ours.pub" --insecure-ignore-tlog=true "$first/team/db:v1" > "$work/cosign.out" 2> "$work/cosign.err"; then
    good ok "cosign accepts our signature" "$(jq -c '.[0].critical.image' "$work/cosign.out" | cut -c 1-120)"
  else
    bad "cosign accepts our signature" "$(tail -n 1 "$work/cosign.err")"
  fi
  ! timeout 60 "$cosign" verify --key "$work/other.pub" --insecure-ignore-tlog=true "$first/team/db:v1" > /dev/null 2>&1 && good ok "cosign refuses another key" "" || bad "cosign refuses another key" "accepted"
  (cd "$work" && COSIGN_PASSWORD='open sesame' timeout 60 "$cosign" generate-key-pair > /dev/null 2>&1)
  says "an encrypted key without its password" 2 "set COSIGN_PASSWORD" push "$first/team/db:v3" --key "$work/cosign.key" --db "$work/db2" < /dev/null
  COSIGN_PASSWORD=wrong says "an encrypted key with another password" 2 "the password does not open it" push "$first/team/db:v3" --key "$work/cosign.key" --db "$work/db2"
  COSIGN_PASSWORD='open sesame' says "an encrypted key of cosign's" 0 ", signed" push "$first/team/db:v3" --key "$work/cosign.key" --db "$work/db2"
  says "its signature" 0 "signed by" pull "$first/team/db:v3" --signed-by "$work/cosign.pub" --db "$work/cosigned"
  says "the other signature beside it" 0 "signed by" pull "$first/team/db:v3" "${trust[@]}" --db "$work/cosigned"
  timeout 60 "$cosign" verify --key "$work/cosign.pub" --insecure-ignore-tlog=true "$first/team/db:v3" > /dev/null 2> "$work/cosign.err" && good ok "cosign accepts it as well" "" || bad "cosign accepts it as well" "$(tail -n 1 "$work/cosign.err")"
else
  skip "cosign on our signature: cosign is not installed"
fi
summary
