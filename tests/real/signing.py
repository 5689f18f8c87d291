#!/usr/bin/env python3
"""Runs `plimsoll verify` over the key (k*) and bundle (b*) cases of the signing corpus and compares each verdict with the expected one.

    tests/real/signing.py [PLIMSOLL [HOST]]

Needs PLIMSOLL_CORPUS (tools/serve_registry.py, corpus/signing/fixtures). The registry listens on 127.0.0.1 only. HOST is a registry that
tools/push_fixtures.py has filled; the cases that only the hostile server can play are left out then. Cases whose demands only a policy file
can say (annotations with thresholds, extensions) get one. Exit 1 on a false accept, with HOST also on a false reject; false rejects are listed.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

corpus = os.environ.get("PLIMSOLL_CORPUS") or sys.exit("PLIMSOLL_CORPUS is not set")
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
binary = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target")), "debug", "plimsoll")
fixtures = os.path.join(corpus, "corpus/signing/fixtures")
with open(os.path.join(fixtures, "cases.json")) as file:
    book = json.load(file)
work = tempfile.mkdtemp()
port_file = os.path.join(work, "port")


def policy(case):
    """A policy that demands what the case demands."""
    require = case.get("require", {})
    signers = {}
    keys = case.get("keys") or ([case["key"]] if case.get("key") else [])
    for at, key in enumerate(keys):
        signers[f"key-{at}"] = {"key": os.path.join(fixtures, key), "log": "allow-missing"}
    if case.get("issuer"):
        keyless = {"issuer": case["issuer"]}
        if case.get("identity_pattern") or case.get("identity_regexp"):
            keyless["identity_pattern"] = case.get("identity_pattern") or case.get("identity_regexp")
        else:
            keyless["identity"] = case.get("identity") or case.get("san")
        if require.get("source_repo"):
            keyless["github"] = {"repository": require["source_repo"].removeprefix("https://github.com/")}
        signers["keyless"] = {"keyless": keyless}
    threshold = case.get("threshold") or require.get("threshold")
    asked = {"threshold": {"of": sorted(signers), "at_least": threshold}} if threshold else {"any_of": sorted(signers)}
    annotations = case.get("annotations") or require.get("annotations")
    if annotations:
        asked["annotations"] = annotations
    if case.get("recursive"):
        asked["platforms"] = "all"
    return {"version": 1, "extends": "builtin:baseline", "signers": signers, "signatures": [asked], "trust": {"root": os.path.join(fixtures, "trusted_root.json")},
            "references": {f"127.0.0.1:{port}/{case['image'].split(':')[0].split('@')[0]}": f"{book['registry']}/{case['image'].split(':')[0].split('@')[0]}"}}


given = sys.argv[2] if len(sys.argv) > 2 else None
with open(os.path.join(fixtures, "repos.json")) as file:
    hostile = {name for name, repo in json.load(file).items() if {"flip", "lie_header", "lie_blob", "endless_blob"} & set(repo)}
server = None if given else subprocess.Popen([sys.executable, os.path.join(corpus, "tools/serve_registry.py"), "--dir", fixtures, "--port", "0", "--port-file", port_file],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(0 if given else 100):
        if os.path.exists(port_file) and open(port_file).read().strip():
            break
        time.sleep(0.05)
    port = given.rsplit(":", 1)[1] if given else open(port_file).read().strip()
    accepted, rejected, right = [], [], 0
    for case in book["cases"]:
        if case["id"][0] not in "kb" or case.get("mode") != "signature":
            continue
        if given and case["image"].split(":")[0].split("@")[0] in hostile:
            continue
        with open(os.path.join(work, "policy.yaml"), "w") as file:
            json.dump(policy(case), file)
        run = subprocess.run([binary, "verify", f"127.0.0.1:{port}/{case['image']}", "--platform", "linux/arm64" if case["image"].endswith(":arm64") else "linux/amd64", "--policy", os.path.join(work, "policy.yaml"),
                              "--output", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        got = "pass" if run.returncode == 0 else "fail"
        reason = ""
        if run.stdout:
            report = json.loads(run.stdout)
            reason = " ".join(sorted({r["code"] for r in report.get("requirements", []) if r.get("code")} | {g["kind"] for g in report.get("gaps", []) if g["kind"].startswith("unchecked.")}))
        if run.stderr:
            reason += run.stderr.decode().strip().splitlines()[0]
        note = "" if got == case["expect"] else "   <-- " + ("FALSE ACCEPT" if got == "pass" else "false reject")
        print(f"{case['id']:36} expected {case['expect']:4} {case.get('reason', ''):24} got {got:4} exit {run.returncode} {reason}{note}")
        right += got == case["expect"]
        if note:
            (accepted if got == "pass" else rejected).append(case["id"])
    print(f"{right} as expected; false accepts: {accepted or 'none'}; false rejects: {rejected or 'none'}")
finally:
    if server:
        server.terminate()
        server.wait()
sys.exit(1 if accepted or (given and rejected) else 0)
