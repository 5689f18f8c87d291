#!/usr/bin/env python3
"""Writes the fuzz targets' first inputs: seeds.py CORPUS [LAYOUTS ...]

They are taken from the image layouts of testdata/images and from every layout below LAYOUTS (such as the hostile images): manifests, indexes and
configurations as they are, small layers unpacked, and whole layouts as archives. Only what is small is taken; the fuzzer grows it.
"""
import glob
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

SMALL = 64 * 1024
HERE = os.path.dirname(os.path.abspath(__file__))


def put(corpus, target, data):
    folder = f"{corpus}/{target}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{hashlib.sha256(data).hexdigest()[:16]}", "wb") as f:
        f.write(data)


def layout(corpus, folder):
    files = {}
    for path in sorted(glob.glob(f"{folder}/**/*", recursive=True)):
        if os.path.isfile(path) and os.path.getsize(path) <= SMALL:
            files[os.path.relpath(path, folder)] = open(path, "rb").read()
    for data in files.values():
        if data[:2] == b"\x1f\x8b":
            try:
                data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(SMALL)
            except (OSError, EOFError):
                put(corpus, "tar", b"\0" + data)
                continue
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            put(corpus, "tar", b"\1" + data)
            continue
        is_config = isinstance(document, dict) and "rootfs" in document
        put(corpus, "config" if is_config else "manifest", data)
    for kind in (0, 1):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        if len(out.getvalue()) <= SMALL:
            put(corpus, "archive", bytes([kind]) + out.getvalue())


# How the files of each target begin, and from which byte on.
MAGICS = [(0, b"\x7fELF", "elf"), (0, b"MZ", "pe"), (0, b"PK\x03\x04", "jar"), (0, b"\xcf\xfa\xed\xfe", "macho"), (0, b"\xca\xfe\xba\xbe", "macho"),
          (0, b"SQLite format 3", "rpm-sqlite"), (0, b"RpmP", "rpm-ndb"), (12, b"\x61\x15\x06\x00", "rpm-bdb"), (12, b"\x00\x06\x15\x61", "rpm-bdb")]


def records(corpus):
    """Every fixture of the catalogers: binary ones by how they begin, the others as text records of every kind whose name resembles theirs."""
    paths = re.findall(r'"([^"]+)"', open(f"{HERE}/src/records.in", encoding="utf-8").read())
    for path in glob.glob(f"{HERE}/../testdata/inventory/**/*", recursive=True):
        if not os.path.isfile(path) or os.path.getsize(path) > 4 * SMALL:
            continue
        data = open(path, "rb").read()
        kinds = [target for at, magic, target in MAGICS if data[at:].startswith(magic)]
        for target in kinds[:1]:
            put(corpus, target, data)
        if not kinds:
            cataloger = os.path.relpath(path, f"{HERE}/../testdata/inventory").split(os.sep)[0]
            for place, record in enumerate(paths):
                if os.path.basename(path) in record or cataloger in record:
                    put(corpus, "record", bytes([place]) + data)
            put(corpus, "record", bytes([len(data) % len(paths)]) + data)


def shards(corpus):
    """Shards with their texts, built from the fixtures by the program that PLIMSOLL names, else by the one in target/."""
    programs = [os.environ.get("PLIMSOLL", "")] + [f"{HERE}/../target/{profile}/plimsoll" for profile in ("release", "debug")]
    program = next((path for path in programs if os.path.isfile(path)), None)
    if program is None:
        print("no program is built: the target shard begins with nothing", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "db", "build", "--from", f"{HERE}/../testdata/advisory/osv", "--db", folder], check=True, stdout=subprocess.DEVNULL)
        for path in glob.glob(f"{folder}/*.plimdb"):
            shard = open(path, "rb").read()
            text = b"".join(open(file, "rb").read() for file in glob.glob(f"{path.removesuffix('.plimdb')}.*.plimtext"))
            put(corpus, "shard", len(shard).to_bytes(3, "little") + shard + text)


def feeds(corpus):
    """Records of OSV for ecosystems of every kind, updates as XML and as gzip, the tracker's states."""
    for path in glob.glob(f"{HERE}/../testdata/advisory/osv/*/*.json"):
        record = open(path, "rb").read()
        for place in range(0, 26, 5):
            put(corpus, "feed", bytes([0, (place + len(record)) % 26]) + record)
    for path in glob.glob(f"{HERE}/../testdata/advisory/alas/**/updateinfo.xml.gz", recursive=True):
        packed = open(path, "rb").read()
        put(corpus, "feed", b"\1\0" + gzip.decompress(packed))
        put(corpus, "feed", b"\2\0" + packed)
    put(corpus, "feed", b"\3\0" + open(f"{HERE}/../testdata/advisory/debian-tracker/debian.json", "rb").read())


def versions(corpus):
    """Three neighbours of each list of versions at a time."""
    for path in glob.glob(f"{HERE}/../testdata/advisory/versions/*.txt"):
        texts = [text for line in open(path, encoding="utf-8") if not line.startswith("#") for text in line.split()]
        for place in range(0, len(texts), 3):
            put(corpus, "version", "\n".join(texts[place : place + 3]).encode())


def dockerfiles(corpus):
    """Every fixture of the rules, and the shell code of their RUN instructions."""
    for path in glob.glob(f"{HERE}/../testdata/dockerfile/**/*Dockerfile*", recursive=True):
        if not os.path.isfile(path) or os.path.getsize(path) > SMALL:
            continue
        data = open(path, "rb").read()
        put(corpus, "dockerfile", data)
        for place, code in enumerate(re.findall(rb"^RUN (.*(?:\\\n.*)*)", data, re.MULTILINE)):
            put(corpus, "shell", bytes([place % 6]) + code.replace(b"\\\n", b"\n" if place % 2 else b""))


def ignore_files(corpus):
    """Patterns and paths of every kind."""
    patterns = ["*", "**", "!a", "a/**/b", "/a", "./a/", "a/../b", "# a", "[a-c]*", "[^a]", "\\*", "**/*.log", "!**/keep.log", "a?c", "a//b", " a ", "["]
    paths = ["a", "a/b", "a/x/b", "keep.log", "x/y/z.log", "abc", ".git/config", "*", "a/keep.log"]
    for place, pattern in enumerate(patterns):
        text = "\n".join(patterns[place : place + 3]) + "\n\n" + "\n".join(paths)
        put(corpus, "dockerignore", text.encode())


def main(corpus, *folders):
    for folder in (f"{HERE}/../testdata/images", *folders):
        for path in glob.glob(f"{folder}/**/oci-layout", recursive=True):
            layout(corpus, os.path.dirname(path))
    for saved in glob.glob(f"{HERE}/../testdata/images/*.tar"):
        put(corpus, "archive", b"\0" + open(saved, "rb").read())
    dockerfiles(corpus)
    ignore_files(corpus)
    records(corpus)
    shards(corpus)
    feeds(corpus)
    versions(corpus)
    digest = "sha256:" + "a" * 64
    for text in ("alpine", "alpine:3.20", "acme/app", "127.0.0.1:5000/app:v1", "localhost/app", f"ghcr.io/a/b:v1@{digest}", "oci:./layout:latest",
                 "docker-archive:app.tar", "oci-archive:app.tar:v1", "docker-daemon:app", "111122223333.dkr.ecr.eu-central-1.amazonaws.com/app:1", "-"):
        put(corpus, "reference", text.encode())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
