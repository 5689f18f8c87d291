#!/usr/bin/env python3
"""Writes alas/<release>/<repository>/<arch>/ and debian-tracker/debian.json. Every advisory, package and id is invented; the shapes are those of an rpm
repository's updateinfo.xml and of the JSON of Debian's tracker. Run it from anywhere; it takes no arguments."""
import gzip
import hashlib
import json
import pathlib

ROOT = pathlib.Path(__file__).parent
PLACES = {"2": "amazon-linux-2", "2023": "amazon-linux-2023"}


def update(ident, title, severity, cves, packages, *, kind="security", updated="2026-10-02 08:00"):
    references = "".join(f'<reference href="https://example.org/{cve}" id="{cve}" title="" type="cve" />' for cve in cves)
    built = "".join(
        f'<package arch="{arch}" epoch="{epoch}" name="{name}" release="{release}" version="{version}">'
        f"<filename>Packages/{name}-{version}-{release}.{arch}.rpm</filename></package>"
        for name, epoch, version, release, arch in packages
    )
    return (
        f'<update author="security@example.org" from="security@example.org" status="final" type="{kind}" version="1.4"><id>{ident}</id>'
        f'<title>{title}</title><issued date="2026-10-01 08:00" /><updated date="{updated}" /><severity>{severity}</severity>'
        f"<description>Made up:\n{', '.join(cves)} &amp; nothing else.</description><references>{references}</references>"
        f'<pkglist><collection short="made-up"><name>Made up</name>{built}</collection></pkglist></update>'
    )


def packed(updates):
    text = '<?xml version="1.0" ?>\n<updates>' + "".join(updates) + "</updates>\n"
    # Stored blocks: the same bytes whatever compression library Python has.
    return gzip.compress(text.encode(), compresslevel=0, mtime=0)


def core_2023(arch):
    return [
        update("ALAS2023-2026-101", "Made up - ALAS2023-2026-101: Important priority package update for keel", "Important",
               ["CVE-2026-90071", "CVE-2026-90072"],
               [("keel", 0, "1.4.2", "3.amzn2023.0.1", arch), ("keel-libs", 0, "1.4.2", "3.amzn2023.0.1", arch),
                ("keel-debuginfo", 0, "1.4.2", "3.amzn2023.0.1", arch), ("keel-doc", 0, "1.4.2", "3.amzn2023.0.1", "noarch")]),
        update("ALAS2023-2026-102", "Made up - ALAS2023-2026-102: low priority package update for rigging", "low", ["CVE-2026-90073"],
               [("rigging", 2, "3.1", "1.amzn2023", arch)], updated="2026-10-03 08:00:30"),
        # Repairs a fault that is no security problem: it never matches.
        update("ALAS2023-2026-103", "Made up - ALAS2023-2026-103: keel sails again", "none", [],
               [("keel", 0, "9.9.9", "1.amzn2023", arch)], kind="bugfix"),
    ]


def core_2(arch):
    return [update("ALAS2-2026-201", "Made up - ALAS2-2026-201: critical priority package update for keel", "critical", ["CVE-2026-90071"],
                   [("keel", 0, "1.2.0", "7.amzn2", arch), ("php", 0, "5.4.16", "46.amzn2.0.9", arch)])]


def php(arch):
    return [update("ALASPHP8.0-2026-301", "Made up - ALASPHP8.0-2026-301: medium priority package update for php", "medium", ["CVE-2026-90074"],
                   [("php", 0, "8.0.30", "1.amzn2", arch)])]


TRACKER = {
    "ballast": {
        "CVE-2026-90002": {"scope": "remote", "description": "ballast: tank can be emptied from outside", "releases": {
            "bookworm": {"status": "open", "repositories": {"bookworm": "1:1.0-1"}, "urgency": "high", "nodsa": "Minor issue", "nodsa_reason": "postponed"},
            "trixie": {"status": "open", "repositories": {"trixie": "1:1.2-1"}, "urgency": "not yet assigned"},
            "sid": {"status": "resolved", "repositories": {"sid": "1:3.0-1"}, "fixed_version": "1:2.9-1", "urgency": "high**"}}},
        "CVE-2026-90061": {"debianbug": 1, "description": "ballast: nobody looks after it", "releases": {
            "bullseye": {"status": "open", "repositories": {"bullseye": "1:0.9-1"}, "urgency": "end-of-life"}}},
        "CVE-2026-90062": {"releases": {"bookworm": {"status": "undetermined", "urgency": "not yet assigned"}}},
        "CVE-2026-90063": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0", "urgency": "unimportant"}}},
    },
    "rigging": {"CVE-2026-90064": {"releases": []}},
}


def main():
    lists = {}
    for arch in ["aarch64", "x86_64"]:
        lists[f"2023/core/{arch}"] = core_2023(arch)
        lists[f"2/core/{arch}"] = core_2(arch)
        lists[f"2/php8.0/{arch}"] = php(arch)
    alas = ROOT / "alas"
    for place, updates in lists.items():
        folder = alas / place
        folder.mkdir(parents=True, exist_ok=True)
        # One repository is there as it is published, with its index.
        whole = place == "2/core/x86_64"
        if whole:
            folder = folder / "repodata"
            folder.mkdir(exist_ok=True)
        (folder / "updateinfo.xml.gz").write_bytes(packed(updates))
        if whole:
            digest = hashlib.sha256(packed(updates)).hexdigest()
            (folder / "repomd.xml").write_text(
                '<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="updateinfo">'
                f'<checksum type="sha256">{digest}</checksum><location href="repodata/updateinfo.xml.gz" /></data></repomd>\n'
            )
    (alas / "repositories.txt").write_text("".join(f"{place}\n" for place in sorted(lists)))
    (ROOT / "debian-tracker").mkdir(exist_ok=True)
    (ROOT / "debian-tracker" / "debian.json").write_text(json.dumps(TRACKER, indent=1) + "\n")


main()
