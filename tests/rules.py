#!/usr/bin/env python3
"""Is every check of the other Dockerfile linters one rule here, and does every rule fire where it should? tests/rules.py [PLIMSOLL]

Asks the program itself (`plimsoll explain --format json`) and lets it judge the fixtures in testdata/dockerfile: a file `fires*` must
give findings of its rule on exactly the lines that its comment `# expect:` names, a file `clean*` none. Fixtures that need more than
their own text (a context, settings, a base image) are only counted here; `cargo test` judges them. Exit 1 and one line per fault.
Needs nothing but Python 3 and the program (default: target/debug/plimsoll)."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "testdata" / "dockerfile"

# The ids that the other tools define: hadolint 2.15.1, BuildKit's checks of August 2026, Trivy's Dockerfile checks, Checkov 3.3.
HADOLINT = ["DL1000", "DL1001", *(f"DL{n}" for n in range(3000, 3068) if n not in (3005, 3017, 3031, 3039)),
            "DL4000", "DL4001", "DL4003", "DL4004", "DL4005", "DL4006"]
BUILDKIT = """ConsistentInstructionCasing CopyIgnoredFile DuplicateStageName ExposeInvalidFormat ExposeProtoCasing FromAsCasing
FromPlatformFlagConstDisallowed InvalidBaseImagePlatform InvalidDefaultArgInFrom InvalidDefinitionDescription JSONArgsRecommended
LegacyKeyValueFormat MaintainerDeprecated MultipleInstructionsDisallowed NoEmptyContinuation RedundantTargetPlatform
ReservedStageName SecretsUsedInArgOrEnv StageNameCasing UndefinedArgInFrom UndefinedVar WorkdirRelativePath""".split()
TRIVY = [n for n in range(1, 32) if n not in (3, 18, 28)]
CHECKOV = [f"CKV_DOCKER_{n}" for n in range(1, 12)] + [f"CKV2_DOCKER_{n}" for n in range(1, 18)]
PEERS = {
    "hadolint": HADOLINT,
    "BuildKit": BUILDKIT,
    "Trivy": [spelling.format(n) for n in TRIVY for spelling in ("DS-{:04}", "AVD-DS-{:04}", "DS{:03}")],
    "Checkov": CHECKOV,
}
# What a rule may need that a Dockerfile alone does not have.
BESIDE = {"context", "config", "network", "image"}
# A rule about what the other rules find, which depends on the ones that are on.
ABOUT_OTHERS = "inline-ignore-unused"


def expected(path):
    """The lines that a fixture names; JSON has no comments, so that a string names them there."""
    marks = re.findall(r"^\s*\"?# expect:([ \d]*)\"?$", path.read_text(encoding="utf-8", errors="replace"), re.M)
    return sorted({int(number) for mark in marks for number in mark.split()})


def is_plain(path):
    """Whether a fixture is judged by its own text alone."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return not re.search(r"^\s*# (base|content|context|dockerignore|trusted|frontends|label|strict-labels|ignores|remark):", text, re.M)


def judge(program, rules, files):
    """Findings of every rule in all files: {(file, rule): lines}."""
    with tempfile.TemporaryDirectory() as folder:
        policy, report = pathlib.Path(folder, "policy.yaml"), pathlib.Path(folder, "report.json")
        settings = "".join(f"    {rule['id']}: note\n" for rule in rules if "image" not in rule["needs"])
        policy.write_text(f"version: 1\nextends: builtin:baseline\nrules:\n  set:\n{settings}", encoding="utf-8")
        command = [program, "lint", "--policy", str(policy), "-o", f"json={report}", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not report.exists():
            sys.exit(f"`plimsoll lint` gave no report:\n{done.stderr}")
        found = {}
        for finding in json.loads(report.read_text(encoding="utf-8"))["findings"]:
            place = finding["locations"][0]
            if place["kind"] == "dockerfile":
                found.setdefault((place["file"], finding["id"]), set()).add(place["line"])
        return found


def main(program):
    done = subprocess.run([program, "explain", "--format", "json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"`plimsoll explain --format json` failed:\n{done.stderr}")
    rules = json.loads(done.stdout)
    faults = []
    for peer, ids in PEERS.items():
        for name in ids:
            named = [rule["id"] for rule in rules if name in rule["aliases"]]
            if len(named) != 1:
                faults.append(f"{peer} {name}: {len(named)} rules {named}")
    files, judged, counted = [], {}, 0
    for rule in rules:
        folder = FIXTURES / rule["id"]
        fires, clean = sorted(folder.glob("fires*")), sorted(folder.glob("clean*"))
        if "image" in rule["needs"]:
            continue
        if not fires or not clean:
            faults.append(f"{rule['id']}: {len(fires)} fixtures that fire, {len(clean)} clean ones")
        for path in fires + clean:
            if is_plain(path) and rule["id"] != ABOUT_OTHERS and not (BESIDE & set(rule["needs"]) and path in clean):
                files.append(path)
                judged[path] = (rule, expected(path) if path in fires else [])
            else:
                counted += 1
    found = judge(program, rules, files)
    for path, (rule, wanted) in judged.items():
        lines = sorted(found.get((str(path), rule["id"]), ()))
        if lines != wanted:
            faults.append(f"{path.relative_to(ROOT)}: found {lines}, wanted {wanted}")
    print("\n".join(faults) or f"{len(rules)} rules; {sum(map(len, PEERS.values()))} ids of other tools, each one rule; "
          f"{len(judged)} fixtures judged, {counted} counted")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target" / "debug" / "plimsoll")))
