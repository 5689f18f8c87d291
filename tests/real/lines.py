#!/usr/bin/env python3
"""Builds Dockerfiles with real builders and compares the line that Plimsoll gives each package with the truth.

    tests/real/lines.py IMAGES [PLIMSOLL] [CASE...]

IMAGES holds the OCI layouts that the other real tests use (IMAGES/oci/alpine-3.20 and so on); PLIMSOLL is the binary (default: target/debug/plimsoll).
The truth comes from building every prefix of each Dockerfile: a package belongs to the instruction from which on it is there without interruption.
Builders, as far as they are here: buildah (or podman, which has it inside) in OCI and Docker format, with one layer per instruction and with one in all;
Docker's classic builder and the BuildKit inside dockerd; buildkitd with buildctl. Needs root and dpkg-deb; builds offline. What is missing is skipped
and named. Exit 1 unless 98 % of packages are on the right line with every builder that makes a layer per instruction, and none is on a wrong
line without being called uncertain.
"""
import hashlib, http.client, io, json, os, shutil, signal, socket, subprocess, sys, tarfile, tempfile, time, zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASES = {"alpine": "alpine-3.20", "debian": "debian-12", "python": "debian-python"}
WORK = tempfile.mkdtemp(prefix="plimsoll-lines-")
PROCESSES = []


def run(*command, quiet=False, check=True, env=None, timeout=600, **options):
    """The standard output of a command; its error output is shown when it fails."""
    done = subprocess.run(command, capture_output=True, env=env, timeout=timeout, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:8])}: exit {done.returncode}: {(done.stderr + done.stdout)[-700:].decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def skip(what):
    print(f"SKIP  {what}", file=sys.stderr)


# ---- packages to install ---------------------------------------------------------------------------------------------------------------------


def deb(folder, name, version, files=()):
    root = os.path.join(WORK, "deb", f"{name}_{version}")
    os.makedirs(os.path.join(root, "DEBIAN"), exist_ok=True)
    for path in list(files) + [f"usr/share/{name}/data"]:
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        with open(os.path.join(root, path), "w") as file:
            file.write(f"{name} {version}\n")
    with open(os.path.join(root, "DEBIAN", "control"), "w") as file:
        file.write(f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Harbour <harbour@acme.example>\nDescription: a test package\n")
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, os.path.join(folder, f"{name}_{version}.deb"))


def apk(folder, name, version):
    def tar(entries, ends):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as out:
            for path, text in entries:
                info = tarfile.TarInfo(path)
                if text is None:
                    info.type, info.mode = tarfile.DIRTYPE, 0o755
                    out.addfile(info)
                    continue
                data = text.encode()
                info.size = len(data)
                info.pax_headers = {"APK-TOOLS.checksum.SHA1": hashlib.sha1(data).hexdigest()} if ends else {}
                out.addfile(info, io.BytesIO(data))
        data = raw.getvalue()
        if not ends:
            while data.endswith(b"\0" * 512):
                data = data[:-512]
        packed = io.BytesIO()
        import gzip

        with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as out:
            out.write(data)
        return packed.getvalue()

    content = tar([("usr", None), ("usr/share", None), (f"usr/share/{name}", None), (f"usr/share/{name}/data", f"{name} {version}\n")], True)
    info = f"pkgname = {name}\npkgver = {version}\narch = x86_64\nsize = 1\npkgdesc = a test package\nlicense = MIT\norigin = {name}\ndatahash = {hashlib.sha256(content).hexdigest()}\n"
    with open(os.path.join(folder, f"{name}-{version}.apk"), "wb") as file:
        file.write(tar([(".PKGINFO", info)], False) + content)


def wheel(folder, name, version):
    with zipfile.ZipFile(os.path.join(folder, f"{name}-{version}-py3-none-any.whl"), "w") as out:
        info = f"{name}-{version}.dist-info"
        out.writestr(f"{name}.py", "")
        out.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        out.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: harbour\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        out.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def npm(folder, name, version):
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(folder, name, "package.json"), "w") as file:
        json.dump({"name": name, "version": version, "license": "MIT"}, file)


def context():
    folder = os.path.join(WORK, "context")
    os.makedirs(folder)
    for name, version in [("keel", "1.0-1"), ("keel", "2.0-1"), ("mast", "0.3"), ("rudder", "4.5-2"), ("anchor", "7")]:
        deb(folder, name, version)
    for name, version in [("keel", "1.0-r0"), ("keel", "2.0-r0"), ("mast", "0.3-r1"), ("rudder", "4.5-r2"), ("anchor", "7-r0")]:
        apk(folder, name, version)
    for name, version in [("halyard", "1.0"), ("halyard", "2.0"), ("sextant", "3.1"), ("capstan", "0.1")]:
        wheel(folder, name, version)
    modules = os.path.join(folder, "app", "node_modules")
    for name, version in [("buoy", "1.2.3"), ("@harbour/crane", "4.0.0"), ("tide", "0.0.7")]:
        npm(modules, name, version)
    npm(os.path.join(folder, "more"), "lantern", "9.9.9")
    npm(os.path.join(folder, "newer"), "buoy", "2.0.0")
    os.makedirs(os.path.join(folder, "specs"))
    for name, version in [("gaff", "1.1"), ("boom", "2.2")]:
        with open(os.path.join(folder, "specs", f"{name}-{version}.gemspec"), "w") as file:
            file.write(f"# -*- encoding: utf-8 -*-\n# stub: {name} {version} ruby lib\n\nGem::Specification.new do |s|\n  s.name = \"{name}\".freeze\n  s.version = \"{version}\"\nend\n")
    return folder


# ---- Dockerfiles -------------------------------------------------------------------------------------------------------------------------------
# Name, instructions, options. `chain` names the stages (from 0) that became the image, `needs` what a builder must be able to do.

ADD = "apk add --no-network --allow-untrusted"
SP = "/usr/local/lib/python3.11/site-packages"


def site(name, version):
    """Shell code that leaves what an installer of Python packages leaves."""
    folder = f"{SP}/{name}-{version}.dist-info"
    return f"mkdir -p {folder} && printf 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n' > {folder}/METADATA"


CASES = [
    ("apk-plain", ["FROM alpine", "COPY keel-1.0-r0.apk mast-0.3-r1.apk /tmp/", f"RUN {ADD} /tmp/keel-1.0-r0.apk", f"RUN {ADD} /tmp/mast-0.3-r1.apk", 'CMD ["sh"]'], {}),
    ("apk-upgrade", ["FROM alpine", "COPY *.apk /tmp/", f"RUN {ADD} /tmp/keel-1.0-r0.apk /tmp/mast-0.3-r1.apk", f"RUN {ADD} /tmp/keel-2.0-r0.apk"], {}),
    ("apk-removed-and-back", ["FROM alpine", "COPY *.apk /tmp/", f"RUN {ADD} /tmp/keel-1.0-r0.apk", f"RUN {ADD} /tmp/rudder-4.5-r2.apk", "RUN apk del --no-network keel", f"RUN {ADD} /tmp/keel-1.0-r0.apk"], {}),
    ("apk-base-removed", ["FROM alpine", "RUN apk del --no-network scanelf ssl_client || true", "COPY mast-0.3-r1.apk /", f"RUN {ADD} /mast-0.3-r1.apk"], {}),
    ("apk-database-touched", ["FROM alpine", "COPY keel-1.0-r0.apk /", f"RUN {ADD} /keel-1.0-r0.apk", "RUN chmod 600 /lib/apk/db/installed", "RUN cp /lib/apk/db/installed /x && cat /x > /lib/apk/db/installed && rm /x", "RUN chown 1:1 /lib/apk/db/installed"], {}),
    ("apk-same-run-twice", ["FROM alpine", "COPY *.apk /tmp/", "RUN apk add --no-network --allow-untrusted $(ls /tmp/*.apk | head -n 1) && rm $(ls /tmp/*.apk | head -n 1)", "RUN true", "RUN apk add --no-network --allow-untrusted $(ls /tmp/*.apk | head -n 1) && rm $(ls /tmp/*.apk | head -n 1)"], {}),
    ("arguments", ["ARG BASE=alpine\nFROM ${BASE} AS os", "ARG VERSION=1.0-r0", "ARG NAME", "ENV HOLD=/srv/hold EMPTY=", "COPY keel-${VERSION}.apk ${HOLD}/", "COPY $NAME-0.3-r1.apk $HOLD/mast.apk", f"RUN {ADD} $HOLD/keel-$VERSION.apk", f"RUN {ADD} $HOLD/mast.apk"], {"arguments": {"VERSION": "2.0-r0", "NAME": "mast"}}),
    ("arguments-untold", ["FROM alpine", "ARG VERSION=1.0-r0", "COPY keel-${VERSION}.apk /hold/", f"RUN {ADD} /hold/keel-$VERSION.apk", "COPY mast-0.3-r1.apk /hold/", f"RUN {ADD} /hold/mast-0.3-r1.apk"], {"arguments": {"VERSION": "2.0-r0"}, "told": {}}),
    ("comments-and-continuations", ["FROM alpine", "COPY keel-1.0-r0.apk mast-0.3-r1.apk /", f"RUN set -e; \\\n    # what follows installs\n    {ADD} \\\n      /keel-1.0-r0.apk \\\n\n      # and one more\n      /mast-0.3-r1.apk; \\\n    rm /*.apk", "LABEL a=b c=\"d e\"", "USER 1000"], {}),
    ("exec-form", ["FROM alpine", "COPY keel-1.0-r0.apk /", 'RUN ["apk", "add", "--no-network", "--allow-untrusted", "/keel-1.0-r0.apk"]', 'COPY ["mast-0.3-r1.apk", "/with blank/mast.apk"]', 'RUN ["/bin/sh", "-c", "apk add --no-network --allow-untrusted \'/with blank/mast.apk\'"]'], {}),
    ("shell", ["FROM alpine", 'SHELL ["/bin/ash", "-eo", "pipefail", "-c"]', "COPY keel-1.0-r0.apk /", f"RUN {ADD} /keel-1.0-r0.apk | cat", 'SHELL ["/bin/sh", "-c"]', "COPY mast-0.3-r1.apk /", f"RUN {ADD} /mast-0.3-r1.apk"], {"needs": "shell"}),
    ("workdir", ["FROM alpine", "WORKDIR /srv", "WORKDIR app", "COPY app .", "WORKDIR /srv/app/deeper", "RUN mkdir -p node_modules/lamp && echo '{\"name\":\"lamp\",\"version\":\"1.0.0\"}' > node_modules/lamp/package.json"], {}),
    ("npm-copies", ["FROM alpine", "COPY app/ /srv/app/", "COPY more/ /srv/app/node_modules/", "COPY --chown=1:1 newer/buoy /srv/app/node_modules/buoy", "RUN chmod -R a+rwX /srv/app", "RUN rm -r /srv/app/node_modules/tide"], {}),
    ("python-files", ["FROM alpine", f"RUN {site('halyard', '1.0')}", f"RUN {site('sextant', '3.1')}", f"RUN rm -r {SP}/halyard-1.0.dist-info && {site('halyard', '2.0')}", f"RUN chmod -R 700 {SP}", f"RUN chown -R 1:1 {SP}"], {}),
    ("gems", ["FROM alpine", "COPY specs/gaff-1.1.gemspec /usr/local/bundle/specifications/", "ADD specs/boom-2.2.gemspec /usr/local/bundle/specifications/", "RUN touch /x"], {}),
    ("stages", ["FROM alpine AS build", "COPY app /src", "RUN cp -r /src/node_modules /out", "FROM alpine", "COPY keel-1.0-r0.apk /", f"RUN {ADD} /keel-1.0-r0.apk", "COPY --from=build /out /srv/node_modules"], {"chain": [1]}),
    ("stages-by-number", ["FROM alpine", f"RUN {site('capstan', '0.1')}", "FROM alpine", "COPY --from=0 /usr/local/lib /usr/local/lib", f"RUN {site('sextant', '3.1')}"], {"chain": [1]}),
    ("stages-in-a-chain", ["FROM alpine AS base", "COPY *.apk /tmp/", f"RUN {ADD} /tmp/keel-1.0-r0.apk", "FROM base AS tools", f"RUN {ADD} /tmp/mast-0.3-r1.apk", "FROM base AS unused", f"RUN {ADD} /tmp/anchor-7-r0.apk", "FROM tools", f"RUN {ADD} /tmp/rudder-4.5-r2.apk", "COPY --from=unused /usr/share/anchor /a"], {"chain": [0, 1, 3]}),
    ("target", ["FROM alpine AS one", "COPY *.apk /tmp/", f"RUN {ADD} /tmp/keel-1.0-r0.apk", "FROM one AS two", f"RUN {ADD} /tmp/mast-0.3-r1.apk", "FROM two AS three", f"RUN {ADD} /tmp/rudder-4.5-r2.apk"], {"chain": [0, 1], "target": "two"}),
    ("scratch", ["FROM alpine AS os", "COPY keel-1.0-r0.apk /", f"RUN {ADD} /keel-1.0-r0.apk", "FROM scratch", "COPY --from=os /etc/os-release /etc/", "COPY --from=os /lib/apk/db/installed /lib/apk/db/installed", "COPY app /app"], {"chain": [1]}),
    ("database-copied-over", ["FROM alpine AS os", "COPY keel-1.0-r0.apk /", f"RUN {ADD} /keel-1.0-r0.apk", "FROM alpine", "COPY --from=os /lib/apk/db/installed /lib/apk/db/installed"], {"chain": [1]}),
    ("mounts", ["FROM alpine AS store", "COPY *.apk /apks/", "FROM alpine", f"RUN --mount=type=bind,from=store,source=/apks,target=/mnt/apks {ADD} /mnt/apks/keel-1.0-r0.apk", "RUN --mount=type=tmpfs,target=/scratch true", "COPY mast-0.3-r1.apk /", f"RUN {ADD} /mast-0.3-r1.apk"], {"chain": [1], "needs": "mounts"}),
    ("heredocs", ["FROM alpine", "COPY *.apk /tmp/", f"RUN <<EOF\nset -e\n{ADD} /tmp/keel-1.0-r0.apk\nEOF", f"RUN <<-EOF\n\t#!/bin/sh\n\t{ADD} /tmp/mast-0.3-r1.apk\n\tEOF", "COPY <<one.json <<package.json /srv/node_modules/flare/\n{}\none.json\n{\"name\":\"flare\",\"version\":\"3.0.0\"}\npackage.json", f"RUN cat <<A > /tmp/a && sh /tmp/b <<B && {ADD} /tmp/rudder-4.5-r2.apk || {ADD} /tmp/rudder-4.5-r2.apk\na\nA\nb\nB"], {"needs": "heredocs"}),
    ("link", ["FROM alpine", "COPY --link app /srv/app", "COPY keel-1.0-r0.apk /", f"RUN {ADD} /keel-1.0-r0.apk", "COPY --link --chmod=644 --chown=2:2 more /srv/app/node_modules/"], {"needs": "link"}),
    ("triggers", ["FROM alpine AS base", "COPY *.apk /tmp/", f"ONBUILD RUN {ADD} /tmp/keel-1.0-r0.apk", f"RUN {ADD} /tmp/mast-0.3-r1.apk", "FROM base", f"RUN {ADD} /tmp/rudder-4.5-r2.apk"], {"chain": [0, 1], "needs": "triggers", "lines": {"keel": 3}}),
    ("backtick", ["# escape=`\nFROM alpine", "COPY keel-1.0-r0.apk `\n  mast-0.3-r1.apk /", f"RUN {ADD} `\n   /keel-1.0-r0.apk", f"RUN {ADD} /mast-0.3-r1.apk"], {}),
    ("dpkg", ["FROM debian", "COPY *.deb /tmp/", "RUN dpkg -i /tmp/keel_1.0-1.deb /tmp/mast_0.3.deb", "RUN dpkg -i /tmp/keel_2.0-1.deb", "RUN dpkg -r mast", "RUN touch /var/lib/dpkg/status && chmod 600 /var/lib/dpkg/status", "RUN dpkg -i /tmp/rudder_4.5-2.deb", "RUN dpkg -i /tmp/mast_0.3.deb"], {}),
    ("dpkg-and-npm", ["FROM debian AS app", "COPY app /srv/app", "FROM debian", "ENV DEBIAN_FRONTEND=noninteractive", "COPY keel_1.0-1.deb /", "RUN dpkg -i /keel_1.0-1.deb && rm /keel_1.0-1.deb", "COPY --from=app /srv/app /srv/app", "USER 1000"], {"chain": [1]}),
    ("wheels", ["FROM python", "COPY *.whl /tmp/", "RUN python3 -m zipfile -e /tmp/halyard-1.0-py3-none-any.whl /usr/local/lib/python3.11/dist-packages", "RUN python3 -m zipfile -e /tmp/sextant-3.1-py3-none-any.whl /usr/local/lib/python3.11/dist-packages", "RUN rm -r /usr/local/lib/python3.11/dist-packages/halyard* && python3 -m zipfile -e /tmp/halyard-2.0-py3-none-any.whl /usr/local/lib/python3.11/dist-packages"], {}),
]


def bases_of(case):
    return [base for base in BASES if any(f"FROM {base}" in text or f"BASE={base}" in text for text in case[1])]


def instructions(case):
    """Each instruction with its stage, its first line and the Dockerfile's text up to its end."""
    _, texts, _ = case
    text, stage, line = "", -1, 1
    for one in texts:
        for base in BASES:
            one = one.replace(f"FROM {base}", f"FROM localhost/plimsoll/{base}:1") if one.split("\n")[-1].startswith("FROM ") and one.split("\n")[-1].split()[1] == base else one
        one = one.replace("BASE=alpine", "BASE=localhost/plimsoll/alpine:1")
        head = [l for l in one.split("\n") if not l.startswith(("ARG BASE", "# escape"))][0]
        first = line + one.split("\n").index(head)
        if head.startswith("FROM"):
            stage += 1
        text += one + "\n"
        line += one.count("\n") + 1
        yield stage, first, text


# ---- builders ----------------------------------------------------------------------------------------------------------------------------------


class Buildah:
    """buildah or podman; `options` say how many layers and which format."""

    can = {"mounts", "shell", "triggers"}

    def __init__(self, name, tool, options, is_layered=True, can=None):
        self.name, self.tool, self.options, self.is_layered = name, tool, options, is_layered
        self.can = can or self.can

    def build(self, file, target, arguments, out):
        tag = "localhost/plimsoll/out:1"
        more = [f"--build-arg={k}={v}" for k, v in arguments.items()] + ([f"--target={target}"] if target else [])
        run(*self.tool, "build", "-q", "--isolation", "chroot", "--pull-never" if "podman" not in self.tool[0] else "--pull=never", *self.options, *more, "-f", file, "-t", tag, CONTEXT)
        if "podman" in self.tool[0]:
            run(*self.tool, "save", "-q", "--format", "docker-archive" if "docker" in self.options else "oci-archive", "-o", out, tag)
        else:
            run(*self.tool, "push", "-q", tag, f"{'docker' if 'docker' in self.options else 'oci'}-archive:{out}")
        return f"{'docker' if 'docker' in self.options else 'oci'}-archive:{out}"


class Docker:
    """dockerd: its classic builder, or the BuildKit inside it."""

    is_layered = True

    def __init__(self, name, version, can):
        self.name, self.version, self.can = name, version, can

    def build(self, file, target, arguments, out):
        packed = io.BytesIO()
        # BuildKit knows an archive by its first bytes, which may not be an extended header.
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(CONTEXT, arcname=".")
            tar.add(file, arcname="the.Dockerfile")
        from urllib.parse import urlencode

        query = {"version": self.version, "dockerfile": "the.Dockerfile", "t": "plimsoll-out:1", "networkmode": "none", "buildargs": json.dumps(arguments)}
        if target:
            query["target"] = target
        answer = api("POST", f"/v1.40/build?{urlencode(query)}", packed.getvalue(), "application/x-tar")
        if b'"errorDetail"' in answer or b'"error"' in answer[-600:]:
            raise RuntimeError(answer[-600:].decode(errors="replace"))
        with open(out, "wb") as file:
            file.write(api("GET", "/v1.40/images/plimsoll-out:1/get"))
        return f"docker-archive:{out}"


class BuildKit:
    """buildkitd by buildctl."""

    name, is_layered, can = "BuildKit", True, {"mounts", "shell", "triggers", "heredocs", "link"}

    def build(self, file, target, arguments, out):
        more = [x for k, v in arguments.items() for x in ("--opt", f"build-arg:{k}={v}")] + (["--opt", f"target={target}"] if target else [])
        for name, layout in BASES.items():
            folder = os.path.join(IMAGES, "oci", layout)
            if os.path.isdir(folder):
                digest = json.load(open(os.path.join(folder, "index.json")))["manifests"][0]["digest"]
                more += ["--oci-layout", f"{name}={folder}", "--opt", f"context:localhost/plimsoll/{name}:1=oci-layout://{name}@{digest}"]
        run("buildctl", "--addr", f"unix://{WORK}/buildkit/sock", "build", "--frontend", "dockerfile.v0", "--local", f"context={CONTEXT}", "--local",
            f"dockerfile={os.path.dirname(file)}", "--opt", f"filename={os.path.basename(file)}", "--opt", "attest:provenance=disabled", *more, "--output", f"type=oci,dest={out}")
        return f"oci-archive:{out}"


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(600)
        self.sock.connect(os.path.join(WORK, "docker", "sock"))


def api(method, path, body=None, kind=None):
    connection = UnixConnection("docker")
    connection.request(method, path, body, {"Content-Type": kind} if kind else {})
    answer = connection.getresponse()
    data = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path.split('?')[0]}: {answer.status} {data[:300]}")
    return data


def start(log, *command):
    os.makedirs(os.path.dirname(log), exist_ok=True)
    process = subprocess.Popen(command, stdout=open(log, "wb"), stderr=subprocess.STDOUT, start_new_session=True)
    PROCESSES.append(process)
    return process


def builders():
    found = []
    wanted = {base for case in CASES if not ONLY or case[0] in ONLY for base in bases_of(case)} | {"alpine"}
    bases = {name: os.path.join(IMAGES, "oci", BASES[name]) for name in sorted(wanted) if os.path.isdir(os.path.join(IMAGES, "oci", BASES[name]))}
    tool = None
    if shutil.which("buildah"):
        tool = ["buildah", "--root", f"{WORK}/c/root", "--runroot", f"{WORK}/c/run"]
    elif shutil.which("podman"):
        tool = ["podman", "--root", f"{WORK}/c/root", "--runroot", f"{WORK}/c/run", "--tmpdir", f"{WORK}/c/tmp", "--events-backend", "file"]
    if tool:
        for driver in ["overlay", "vfs"]:
            try:
                one = tool + ["--storage-driver", driver]
                for name, layout in bases.items():
                    image = run(*one, "pull", "-q", f"oci:{layout}").strip().split("\n")[-1]
                    run(*one, "tag", image, f"localhost/plimsoll/{name}:1")
                probe = os.path.join(WORK, "probe.Dockerfile")
                with open(probe, "w") as file:
                    file.write("FROM localhost/plimsoll/alpine:1\nRUN true\n")
                Buildah("probe", one, ["--layers"]).build(probe, None, {}, os.path.join(WORK, "probe.tar"))
                version = run(*one, "--version").strip()
                found += [
                    Buildah(f"{tool[0]} OCI", one, ["--layers"], can={"mounts"}),
                    Buildah(f"{tool[0]} Docker format", one, ["--layers", "--format", "docker"]),
                    Buildah(f"{tool[0]} in one layer", one, ["--layers=false"], False, {"mounts"}),
                    Buildah(f"{tool[0]} squashed whole", one, ["--squash-all" if tool[0] == "podman" else "--squash"], False, {"mounts"}),
                ]
                print(f"      {version}, {driver}")
                break
            except RuntimeError as error:
                shutil.rmtree(f"{WORK}/c", ignore_errors=True)
                reason = error
        else:
            skip(f"lines with {tool[0]}: it does not build here: {reason}")
    else:
        skip("lines with buildah: neither buildah nor podman is installed")
    if shutil.which("dockerd") and shutil.which("skopeo"):
        for driver in ["overlay2", "vfs"]:
            folder = f"{WORK}/docker"
            process = start(f"{folder}/log", "dockerd", "-H", f"unix://{folder}/sock", "--data-root", f"{folder}/root", "--exec-root", f"{folder}/exec",
                            "--pidfile", f"{folder}/pid", "--storage-driver", driver, "--bridge", "none", "--iptables=false", "--ip-masq=false")
            for _ in range(100):
                if os.path.exists(f"{folder}/sock") or process.poll() is not None:
                    break
                time.sleep(0.2)
            if process.poll() is None and os.path.exists(f"{folder}/sock"):
                break
        try:
            version = json.loads(api("GET", "/version"))["Version"]
            for name, layout in bases.items():
                run("skopeo", "copy", "-q", f"oci:{layout}", f"docker-archive:{WORK}/{name}.tar:localhost/plimsoll/{name}:1")
                api("POST", "/v1.40/images/load?quiet=1", open(f"{WORK}/{name}.tar", "rb").read(), "application/x-tar")
            # Only newer ones read heredocs and --link.
            more = {"heredocs", "link"} if int(version.split(".")[0]) >= 23 else set()
            found.append(Docker("Docker's classic builder", 1, {"shell", "triggers"}))
            found.append(Docker("BuildKit in dockerd", 2, {"mounts", "shell", "triggers"} | more))
            print(f"      dockerd {version}, {driver}")
        except (OSError, RuntimeError) as error:
            skip(f"lines with Docker's builders: dockerd does not start here: {error}")
    else:
        skip("lines with Docker's builders: dockerd or skopeo is not installed")
    if shutil.which("buildkitd") and shutil.which("buildctl"):
        folder = f"{WORK}/buildkit"
        process = start(f"{folder}/log", "buildkitd", "--addr", f"unix://{folder}/sock", "--root", f"{folder}/root", "--containerd-worker=false", "--oci-worker-net", "host")
        for _ in range(100):
            if os.path.exists(f"{folder}/sock") or process.poll() is not None:
                break
            time.sleep(0.2)
        if process.poll() is None and os.path.exists(f"{folder}/sock"):
            found.append(BuildKit())
            print("      " + run("buildkitd", "--version").strip())
        else:
            skip("lines with BuildKit: buildkitd does not start here")
    else:
        skip("lines with a BuildKit of its own (heredocs, --link): buildkitd and buildctl are not installed")
    return found


# ---- truth and what is said ----------------------------------------------------------------------------------------------------------------------


def inventory(reference, *options):
    out = os.path.join(WORK, "report.json")
    if os.path.exists(out):
        os.remove(out)
    done = subprocess.run([PLIMSOLL, "inventory", reference, "--cache-dir", f"{WORK}/cache", "--output", f"json={out}", *options], capture_output=True, timeout=300)
    if done.returncode not in (0, 3) or not os.path.exists(out):
        raise RuntimeError(f"plimsoll {reference}: exit {done.returncode}: {done.stderr[-500:].decode(errors='replace')}")
    return json.load(open(out))


def places(report):
    """Each place of each package, with its layer."""
    return {(package["purl"], at["path"]): at["layerIndex"] for package in report.get("packages") or [] for at in package["locations"] if at["kind"] == "image"}


def truth(case, builder):
    """Line of each package of the image: the instruction from which on it is there without interruption."""
    name, _, options = case
    chain = options.get("chain", [0])
    found = []
    for stage, line, text in instructions(case):
        if stage not in chain:
            continue
        file = os.path.join(WORK, "prefix.Dockerfile")
        with open(file, "w") as out:
            out.write(text)
        if text.rstrip().split("\n")[-1].startswith("FROM scratch"):
            found.append((line, set()))
            continue
        reference = builder.build(file, None, options.get("arguments", {}), fresh("prefix"))
        found.append((line, set(places(inventory(reference)))))
    lines = {}
    for at, (line, there) in enumerate(found):
        for key in there:
            before = found[at - 1][1] if at else set()
            if key not in before:
                lines[key] = line
        for key in [key for key in lines if key not in there]:
            del lines[key]
    first = found[0][0]
    for wanted, line in options.get("lines", {}).items():
        lines = {key: line if f"/{wanted}@" in key[0] else at for key, at in lines.items()}
    return {key: (line, line == first) for key, line in lines.items()}


COUNT = [0]


def fresh(name):
    COUNT[0] += 1
    for old in os.listdir(WORK):
        if old.endswith(".out.tar"):
            os.remove(os.path.join(WORK, old))
    return os.path.join(WORK, f"{name}-{COUNT[0]}.out.tar")


def compare(case, builder, expected, totals):
    name, _, options = case
    file = os.path.join(WORK, "whole.Dockerfile")
    with open(file, "w") as out:
        out.write(list(instructions(case))[-1][2])
    reference = builder.build(file, options.get("target"), options.get("arguments", {}), fresh("whole"))
    told = [f"--build-arg={k}={v}" for k, v in options.get("told", options.get("arguments", {})).items()]
    told += [f"--target={options['target']}"] if "target" in options else []
    report = inventory(reference, "--dockerfile", file, *told)
    origins = {layer["index"]: layer.get("origin", {}) for layer in report["image"]["layers"]}
    found = places(report)
    if set(found) != set(expected):
        print(f"DIFF  {builder.name}: {name}: other packages than the truth: {sorted(set(found) ^ set(expected))[:5]}")
        totals["wrong"] += 1
        return
    counts = {"right": 0, "own": 0, "own_right": 0, "wrong": 0, "doubted": 0}
    notes = []
    for key, layer in found.items():
        line, is_base = expected[key]
        origin = origins[layer]
        said = origin.get("dockerfile", {}).get("line")
        sides = {"base": True, "own": False, "unknown": None}[origin.get("side", "unknown")]
        is_right = said == line and (sides == is_base or name == "database-copied-over" and sides is not None)
        is_certain = origin.get("certain", False)
        counts["own"] += not is_base
        if is_right and is_certain:
            counts["right"] += 1
            counts["own_right"] += not is_base
        elif said is not None and is_certain:
            counts["wrong"] += 1
            notes.append(f"{key[0]} is of line {line}, not {said} ({origin.get('side')})")
        else:
            counts["doubted"] += 1
            notes.append(f"{key[0]} is of line {line}: {origin.get('doubt')}")
    totals["packages"] += len(found)
    for key, value in counts.items():
        totals[key] += value
    if counts["wrong"] or counts["doubted"] and builder.is_layered:
        print(f"{'DIFF ' if counts['wrong'] else '?    '} {builder.name}: {name}: {counts['wrong']} wrong, {counts['doubted']} unknown; {'; '.join(sorted(notes)[:2])}")
    totals["files"] += 1


def main():
    if not os.path.isdir(os.path.join(IMAGES, "oci", "alpine-3.20")):
        skip(f"lines of Dockerfiles: {IMAGES} has no oci/alpine-3.20")
        return 0
    if os.geteuid() != 0 or not shutil.which("dpkg-deb"):
        skip("lines of Dockerfiles: only root can build, and dpkg-deb must be there")
        return 0
    there = builders()
    if not there:
        return 0
    totals = {builder.name: dict.fromkeys(["files", "packages", "right", "own", "own_right", "wrong", "doubted"], 0) for builder in there}
    names = set()
    for case in CASES:
        name, texts, options = case
        if ONLY and name not in ONLY:
            continue
        missing = [base for base in bases_of(case) if not os.path.isdir(os.path.join(IMAGES, "oci", BASES[base]))]
        able = [builder for builder in there if options.get("needs") is None or options["needs"] in builder.can]
        oracle = next((builder for builder in able if builder.is_layered), None)
        if missing or not oracle:
            skip(f"lines of the Dockerfile `{name}`: {'no image ' + missing[0] if missing else 'no builder here can build it'}")
            continue
        try:
            expected = truth(case, oracle)
        except RuntimeError as error:
            print(f"DIFF  {oracle.name}: {name}: {error}")
            totals[oracle.name]["wrong"] += 1
            continue
        for builder in able:
            try:
                compare(case, builder, expected, totals[builder.name])
                names.add(name)
            except RuntimeError as error:
                print(f"DIFF  {builder.name}: {name}: {error}")
                totals[builder.name]["wrong"] += 1
    failed = False
    for builder in there:
        one = totals[builder.name]
        share = lambda part, whole: 100 * part / whole if whole else 100
        all_share, own_share = share(one["right"], one["packages"]), share(one["own_right"], one["own"])
        is_good = one["wrong"] == 0 and (not builder.is_layered or min(all_share, own_share) >= 98)
        failed |= not is_good
        print(f"{'same ' if is_good else 'DIFF '} {builder.name:26} {one['files']:3} Dockerfiles, {one['right']} of {one['packages']} packages on the right line ({all_share:.1f} %), "
              f"{one['own_right']} of {one['own']} of the build's own ({own_share:.1f} %), {one['wrong']} wrong, {one['doubted']} said to be unknown")
    print(f"{len(names)} Dockerfiles, {time.monotonic() - STARTED:.0f} s")
    return 1 if failed else 0


def finish():
    for process in PROCESSES:
        process.terminate()
    for process in PROCESSES:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    with open("/proc/mounts") as mounts:
        for mount in reversed([line.split()[1] for line in mounts if line.split()[1].startswith(WORK + "/")]):
            subprocess.run(["umount", mount], capture_output=True)
    shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    STARTED = time.monotonic()
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    IMAGES = os.path.abspath(sys.argv[1])
    PLIMSOLL = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] else os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "debug", "plimsoll"))
    ONLY = set(sys.argv[3:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        CONTEXT = context()
        sys.exit(main())
    finally:
        finish()
