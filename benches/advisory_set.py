#!/usr/bin/env python3
"""Writes a larger mirror out of a real one: advisory_set.py FROM TO COPIES

FROM is laid out like the OSV bucket; TO gets the same archives with COPIES copies of every record. From the second copy on ids, CVE numbers, package names
and versions are others, so that nothing is stored once that would not be. TO/packages.tsv lists 500 packages to look up, drawn evenly: kind, name, version;
350 rpm packages of AlmaLinux:8 and 150 of PyPI, every second one an update behind, as in an image that was built some weeks ago. TO/oldest.tsv has the
same packages, every second one older than all that is known of it.
"""
import hashlib
import json
import os
import re
import sys
import zipfile

KINDS = {"AlmaLinux:8": ("rpm", 350), "PyPI": ("pypi", 150)}


def number(text, copy, most):
    return int.from_bytes(hashlib.md5(f"{copy} {text}".encode()).digest()[:4], "big") % most


def another_id(text, copy):
    return re.sub(r"\d+$", lambda _: str(number(text, copy, 100000)).zfill(4), text) if text[-1:].isdigit() else f"{text}{copy}"


def another_name(text, copy):
    return f"{text}-{number(text, copy, 65536):04x}"


def another_version(text, copy):
    if text == "0":
        return text
    epoch, colon, rest = text.rpartition(":")
    return epoch + colon + re.sub(r"\d+", lambda found: str(int(found[0]) + copy), rest, count=1)


def another(record, copy):
    if copy == 0:
        return record
    record = dict(record, id=another_id(record["id"], copy))
    for key in ("aliases", "upstream", "related"):
        if record.get(key):
            record[key] = [another_id(text, copy) for text in record[key]]
    affected = []
    for entry in record.get("affected") or []:
        if "package" in entry:
            entry = dict(entry, package=dict(entry["package"], name=another_name(entry["package"]["name"], copy)))
            ranges = [dict(r, events=[{key: another_version(text, copy) for key, text in event.items()} for event in r.get("events") or []])
                      if r.get("type") != "GIT" else r for r in entry.get("ranges") or []]
            entry["ranges"] = ranges
            if entry.get("versions"):
                entry["versions"] = [another_version(text, copy) for text in entry["versions"]]
        affected.append(entry)
    record["affected"] = affected
    return record


def main(source, target, copies):
    found = {text: {} for text in KINDS}
    for ecosystem in sorted(os.listdir(source)):
        path = f"{source}/{ecosystem}/all.zip"
        if not os.path.isfile(path):
            continue
        os.makedirs(f"{target}/{ecosystem}", exist_ok=True)
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(f"{target}/{ecosystem}/all.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
            for name in old.namelist():
                if not name.endswith(".json"):
                    continue
                record = json.loads(old.read(name))
                for copy in range(copies):
                    varied = another(record, copy)
                    new.writestr(zipfile.ZipInfo(f"{copy}/{name}"), json.dumps(varied, separators=(",", ":"), ensure_ascii=False), zipfile.ZIP_DEFLATED)
                    for entry in varied.get("affected") or []:
                        package = entry.get("package") or {}
                        fixed = [e["fixed"] for r in entry.get("ranges") or [] if r.get("type") != "GIT" for e in r.get("events") or [] if "fixed" in e]
                        if package.get("ecosystem") in found and fixed and ".module_el" not in fixed[0]:
                            found[package["ecosystem"]].setdefault(package["name"], set()).update(fixed)
    with open(f"{target}/packages.tsv", "w", encoding="utf-8") as packages, open(f"{target}/oldest.tsv", "w", encoding="utf-8") as oldest:
        for text, (kind, most) in KINDS.items():
            names = sorted(found[text])
            for place in range(min(most, len(names))):
                name = names[place * len(names) // most]
                # By the numbers in them; that is near enough to find the newest two.
                fixes = sorted(found[text][name], key=lambda fix: ([int(part) for part in re.findall(r"\d+", fix)[:6]], fix))
                before_all = re.sub(r"\d+", "0", fixes[0].rpartition(":")[2], count=1)
                behind = fixes[-2] if len(fixes) > 1 else before_all
                packages.write(f"{kind}\t{name}\t{behind if place % 2 else fixes[-1]}\n")
                oldest.write(f"{kind}\t{name}\t{before_all if place % 2 else fixes[-1]}\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
