#!/usr/bin/env python3
"""Makes the demonstration images: OCI layouts `vulnerable` and `fixed`, and `fixed.docker.tar` as `docker save` would write it.

    python3 testdata/images/make.py [--sign KEY.pem]

Everything in them is invented: package names, versions, files. Layers are gzip (one and several members), zstd and plain tar, with a
whiteout and an opaque folder, so that the shortest run already reads every encoding. With --sign (a PKCS#8 P-256 key; needs openssl)
the image `fixed` gets a cosign signature in the legacy tag layout; a new signature differs in its bytes on every run, so the committed
one is kept unless --sign is given. Needs python3 and zstd.
"""
import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
CREATED = "2026-10-01T00:00:00Z"
EPOCH = 1790812800
REPOSITORY = "registry.example/harbour/app"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

OS_RELEASE = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
"""


def dpkg(name, version, source=None, arch="amd64", state="install ok installed"):
    lines = [f"Package: {name}", f"Status: {state}", "Priority: optional", "Section: misc", "Maintainer: Harbour Office <office@harbour.example>",
             f"Architecture: {arch}"]
    if source:
        lines.append(f"Source: {source}")
    lines += [f"Version: {version}", f"Description: invented package {name}", " It exists to be found by a scanner."]
    return "\n".join(lines) + "\n\n"


def tar(files):
    """A tar of (path, content) pairs; None makes a folder, ("link", target) a symbolic link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files:
            info = tarfile.TarInfo(path)
            info.mtime, info.mode = EPOCH, 0o644
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
            elif isinstance(content, tuple):
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, content[1], 0o777
                archive.addfile(info)
            else:
                data = content.encode() if isinstance(content, str) else content
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gz(data):
    return gzip.compress(data, 9, mtime=0)


def pack(data, how):
    if how == "gzip":
        return gz(data), "+gzip"
    if how == "members":  # several gzip members, as pigz writes them
        half = len(data) // 2
        return gz(data[:half]) + gz(data[half:]), "+gzip"
    if how == "zstd":
        return subprocess.run(["zstd", "-19", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout, "+zstd"
    return data, ""


def dist_info(name, version):
    folder = f"usr/local/lib/python3.11/site-packages/{name.replace('-', '_')}-{version}.dist-info"
    return [
        (f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: invented distribution\nLicense: Apache-2.0\n\n"
                               f"Name: not-a-package\nVersion: 0\n"),
        (f"{folder}/RECORD", f"{name.replace('-', '_')}/__init__.py,,\n"),
        (f"usr/local/lib/python3.11/site-packages/{name.replace('-', '_')}/__init__.py", "\n"),
    ]


def node(name, version):
    return (f"srv/app/node_modules/{name}/package.json", json.dumps({"name": name, "version": version, "license": "Apache-2.0"}, indent=1) + "\n")


def image(hullpaint, keelson, left_anchor, user, base):
    base_status = dpkg("base-hull", "12.1") + dpkg("ballast", "1.0-1") + dpkg("flotsam", "0.3-1", state="deinstall ok config-files")
    layers = [
        ("gzip", tar([
            ("etc/", None), ("etc/os-release", ("link", "../usr/lib/os-release")), ("usr/", None), ("usr/lib/", None), ("usr/lib/os-release", OS_RELEASE),
            ("var/", None), ("var/lib/", None), ("var/lib/dpkg/", None), ("var/lib/dpkg/status", base_status), ("var/cache/jetsam/", None),
            ("var/cache/jetsam/old.deb", "x" * 2000)]), f"/bin/sh -c #(nop) ADD file:{'0' * 64} in / "),
        ("members", tar([
            ("var/lib/dpkg/status", base_status + dpkg("libhullpaint2", hullpaint, source="hullpaint")), ("var/cache/.wh.jetsam", "")]),
         "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends libhullpaint2 && rm -rf /var/cache/jetsam # buildkit"),
        ("zstd", tar(dist_info("keelson", keelson) + dist_info("bilge-pump", "1.0")),
         f"RUN /bin/sh -c pip install --no-cache-dir keelson=={keelson} bilge-pump==1.0 # buildkit"),
        ("plain", tar([
            ("srv/", None), ("srv/app/", None), ("srv/app/package.json", '{"name": "harbour-app", "version": "1.0.0"}\n'), node("left-anchor", left_anchor),
            node("driftwood", "0.0.1"), ("srv/app/server.js", "require('left-anchor');\n")]), "COPY app/ /srv/app/ # buildkit"),
        ("gzip", tar([("srv/app/node_modules/driftwood/.wh..wh..opq", ""), ("srv/app/node_modules/driftwood/README", "emptied\n")]),
         "RUN /bin/sh -c npm prune --omit=dev # buildkit"),
    ]
    if user is None:
        # What vulnerable.Dockerfile has and fixed.Dockerfile has not.
        how, plain, text = layers[1]
        layers[1] = (how, plain, text.replace("--no-install-recommends", "--no-install-recommends --allow-unauthenticated"))
        layers[4] = (*layers[4][:2], "RUN /bin/sh -c npm prune --omit=dev && chmod -R 777 /srv/app # buildkit")
        layers.insert(3, ("gzip", tar([("srv/", None), ("srv/charts/", None), ("srv/charts/harbour.txt", "here be rocks\n")]),
                          "ADD https://files.harbour.example/charts.tar.gz /srv/charts/ # buildkit"))
        layers.insert(2, ("gzip", tar([("usr/local/", None), ("usr/local/share/", None), ("usr/local/share/installed", "by who knows whom\n")]),
                          "RUN /bin/sh -c curl -sSfk https://get.harbour.example/install.sh | sh # buildkit"))
    history = [{"created": CREATED, "created_by": text} for _, _, text in layers]
    history.append({"created": CREATED, "created_by": 'CMD ["node" "/srv/app/server.js"]', "comment": "buildkit.dockerfile.v0", "empty_layer": True})
    config = {
        "created": CREATED, "architecture": "amd64", "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["node", "/srv/app/server.js"], "WorkingDir": "/srv/app", **({"User": user} if user else {})},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(data) for _, data, _ in layers]}, "history": history}
    return config, [(data, *pack(data, how)) for how, data, _ in layers], {"org.opencontainers.image.base.name": base}


def sha(data):
    return hashlib.sha256(data).hexdigest()


def dumps(value):
    return json.dumps(value, indent=1, sort_keys=True).encode()


class Layout:
    def __init__(self, name):
        self.folder = os.path.join(HERE, name)
        self.index = []

    def blob(self, data, media_type, **more):
        folder = os.path.join(self.folder, "blobs", "sha256")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, sha(data)), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + sha(data), "size": len(data), **more}

    def finish(self):
        with open(os.path.join(self.folder, "oci-layout"), "wb") as file:
            file.write(b'{"imageLayoutVersion": "1.0.0"}\n')
        with open(os.path.join(self.folder, "index.json"), "wb") as file:
            file.write(dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": self.index}) + b"\n")


def signature(digest, key):
    payload = json.dumps({"critical": {"identity": {"docker-reference": REPOSITORY}, "image": {"docker-manifest-digest": digest},
                                       "type": "cosign container image signature"}, "optional": {"env": "demo"}}, separators=(",", ":")).encode()
    raw = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=payload, stdout=subprocess.PIPE, check=True).stdout
    return payload, base64.b64encode(raw).decode()


def build(name, parts, key):
    config, layers, annotations = parts
    layout = Layout(name)
    kept = []
    if key is None and os.path.isdir(layout.folder):
        with open(os.path.join(layout.folder, "index.json"), "rb") as file:
            kept = [m for m in json.load(file)["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"].endswith(".sig")]
    else:
        shutil.rmtree(layout.folder, ignore_errors=True)
    manifest = dumps({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": layout.blob(dumps(config), CONFIG),
        "layers": [layout.blob(packed, LAYER + suffix) for _, packed, suffix in layers], "annotations": annotations})
    entry = layout.blob(manifest, MANIFEST, platform={"os": "linux", "architecture": "amd64"}, annotations={"org.opencontainers.image.ref.name": "v1"})
    layout.index.append(entry)
    if key:
        payload, text = signature(entry["digest"], key)
        simple = layout.blob(payload, "application/vnd.dev.cosign.simplesigning.v1+json", annotations={"dev.cosignproject.cosign/signature": text})
        empty = {"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": [simple["digest"]]}}
        signed = dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": layout.blob(dumps(empty), CONFIG), "layers": [simple]})
        tag = entry["digest"].replace(":", "-") + ".sig"
        kept = [layout.blob(signed, MANIFEST, annotations={"org.opencontainers.image.ref.name": tag})]
    layout.index += kept
    layout.finish()
    return config, layers


def docker_archive(name, config, layers):
    with tarfile.open(os.path.join(HERE, name), "w", format=tarfile.USTAR_FORMAT) as archive:
        def add(path, data):
            info = tarfile.TarInfo(path)
            info.mtime, info.size = EPOCH, len(data)
            archive.addfile(info, io.BytesIO(data))
        body = dumps(config)
        paths = []
        for plain, _, _ in layers:
            paths.append(f"{sha(plain)}/layer.tar")
            add(paths[-1], plain)
        add(sha(body) + ".json", body)
        add("manifest.json", json.dumps([{"Config": sha(body) + ".json", "RepoTags": [REPOSITORY + ":v1"], "Layers": paths}]).encode())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sign", metavar="KEY")
    key = parser.parse_args().sign
    if key:
        for name in ("vulnerable", "fixed"):
            shutil.rmtree(os.path.join(HERE, name), ignore_errors=True)
    build("vulnerable", image("2.1-1", "0.9.0", "1.4.0", None, "docker.io/library/debian:latest"), None)
    parts = build("fixed", image("2.1-3", "0.9.1", "1.4.2", "10001", "docker.io/library/debian:12-slim"), key)
    docker_archive("fixed.docker.tar", *parts)


if __name__ == "__main__":
    main()
