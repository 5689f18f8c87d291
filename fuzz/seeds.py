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
import sys
import tarfile

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


def main(corpus, *folders):
    for folder in (f"{HERE}/../testdata/images", *folders):
        for path in glob.glob(f"{folder}/**/oci-layout", recursive=True):
            layout(corpus, os.path.dirname(path))
    for saved in glob.glob(f"{HERE}/../testdata/images/*.tar"):
        put(corpus, "archive", b"\0" + open(saved, "rb").read())
    digest = "sha256:" + "a" * 64
    for text in ("alpine", "alpine:3.20", "acme/app", "127.0.0.1:5000/app:v1", "localhost/app", f"ghcr.io/a/b:v1@{digest}", "oci:./layout:latest",
                 "docker-archive:app.tar", "oci-archive:app.tar:v1", "docker-daemon:app", "111122223333.dkr.ecr.eu-central-1.amazonaws.com/app:1", "-"):
        put(corpus, "reference", text.encode())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
