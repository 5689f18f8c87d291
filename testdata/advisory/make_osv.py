#!/usr/bin/env python3
"""Writes osv/<Ecosystem>/*.json and osv/<Ecosystem>/all.zip, and beside them the KEV and EPSS files. Every record is invented. Archives are stored without compression and with one
fixed time, so that they are the same bytes on every machine. Run it from anywhere; it takes no arguments."""
import gzip
import json
import pathlib
import zipfile

ROOT = pathlib.Path(__file__).parent / "osv"
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"  # 9.8
HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"  # 7.5
MEDIUM = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"  # 6.1
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"


def row(ecosystem, name, events, kind="ECOSYSTEM", urgency=None, versions=None, git=False):
    ranges = [{"type": kind, "events": [{key: value} for key, value in events]}]
    if git:
        ranges.insert(0, {"type": "GIT", "repo": "https://git.example.org/" + name, "events": [{"introduced": "0"}]})
    entry = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}
    if urgency:
        entry["ecosystem_specific"] = {"urgency": urgency}
    if versions:
        entry["versions"] = versions
    return entry


def record(number, summary, affected, *, prefix="PLIM", aliases=(), upstream=(), cvss=None, day=1, withdrawn=None):
    ident = f"{prefix}-2026-{number:04}"
    made = {
        "schema_version": "1.7.3",
        "id": ident,
        "summary": summary,
        "published": "2026-09-01T08:00:00Z",
        "modified": f"2026-10-{day:02}T08:00:00Z",
        "affected": affected,
        "references": [
            {"type": "WEB", "url": f"https://example.org/news/{number}"},
            {"type": "ADVISORY", "url": f"https://advisories.example.org/{ident}"},
        ],
    }
    if aliases:
        made["aliases"] = list(aliases)
    if upstream:
        made["upstream"] = list(upstream)
    if cvss:
        made["severity"] = [{"type": "CVSS_V" + vector[5], "score": vector} for vector in cvss]
    if withdrawn:
        made["withdrawn"] = withdrawn
    return made


RECORDS = {
    "Debian": [
        record(1, "hullpaint: overflow while mixing colours", [
            row("Debian:12", "hullpaint", [("introduced", "0"), ("fixed", "2.1-3")], urgency="medium"),
            row("Debian:11", "hullpaint", [("introduced", "0"), ("fixed", "1.9-2+deb11u1")], urgency="medium"),
        ], upstream=["CVE-2026-90001"], cvss=[HIGH], day=2),
        record(2, "ballast: tank can be emptied from outside", [
            row("Debian:12", "ballast", [("introduced", "0")], urgency="high"),
        ], upstream=["CVE-2026-90002"], day=3),
        record(3, "hullpaint: fixed long ago", [
            row("Debian:12", "hullpaint", [("introduced", "0"), ("fixed", "1.4-1")], urgency="low"),
        ], upstream=["CVE-2026-90003"]),
        # A decoy with the binary package's name: Debian matches by source.
        record(4, "libhullpaint2: not the source package", [
            row("Debian:12", "libhullpaint2", [("introduced", "0")], urgency="high"),
        ], upstream=["CVE-2026-90004"]),
        record(5, "ballast: only a later release ships the fault", [
            row("Debian:12", "ballast", [("introduced", "1:2.0-1"), ("fixed", "1:2.2-1")], urgency="high"),
        ], upstream=["CVE-2026-90005"]),
        # One record, two CVEs, as every DSA may have.
        record(6, "rigging - security update", [
            row("Debian:12", "rigging", [("introduced", "0"), ("fixed", "3.2-1+deb12u1")]),
        ], prefix="PLIM-DSA", upstream=["CVE-2026-90006", "CVE-2026-90007"]),
        record(7, "ballast: no real harm", [
            row("Debian:12", "ballast-tools", [("introduced", "0")], urgency="unimportant"),
        ], upstream=["CVE-2026-90008"]),
    ],
    "Alpine": [
        record(11, "keel: loses its bolts", [
            row("Alpine:v3.20", "keel", [("introduced", "0"), ("fixed", "1.4.2-r3")]),
            row("Alpine:v3.20", "keel-tools", [("introduced", "0"), ("fixed", "1.4.2-r3")]),
        ], upstream=["CVE-2026-90011"], cvss=[MEDIUM], day=4),
        # A fixed version that apk does not accept: undecidable, never "not affected".
        record(12, "keel: a fix with a broken number", [
            row("Alpine:v3.20", "bilge", [("introduced", "0"), ("fixed", "0.8.21.r2")]),
        ], upstream=["CVE-2026-90012"]),
    ],
    "npm": [
        record(21, "left-anchor: command injection through the chain length", [
            row("npm", "left-anchor", [("introduced", "0"), ("fixed", "1.4.2")], kind="SEMVER"),
        ], aliases=["CVE-2026-90021", "GHSA-plim-soll-0021"], cvss=[CRITICAL, V4], day=5),
        record(22, "Left-Anchor: another package by case", [
            row("npm", "Left-Anchor", [("introduced", "0")], kind="SEMVER"),
        ], aliases=["CVE-2026-90022"], cvss=[CRITICAL]),
        record(23, "left-anchor: the next major line", [
            row("npm", "left-anchor", [("introduced", "2.0"), ("fixed", "2.0.3")], kind="SEMVER"),
        ], aliases=["CVE-2026-90023"], cvss=[HIGH]),
        record(24, "@harbour/left-anchor: of a scope", [
            row("npm", "@harbour/left-anchor", [("introduced", "0"), ("last_affected", "1.9.0")], kind="SEMVER"),
        ], aliases=["CVE-2026-90024"], cvss=[MEDIUM]),
    ],
    "PyPI": [
        record(31, "keelson: a crafted manifest stops the parser", [
            row("PyPI", "keelson", [("introduced", "0"), ("fixed", "0.9.1")], git=True, versions=["0.8.0", "0.9.0"]),
        ], aliases=["CVE-2026-90031"], cvss=[HIGH], day=6),
        record(32, "bilge-pump: reported by mistake", [
            row("PyPI", "bilge-pump", [("introduced", "0")]),
        ], aliases=["CVE-2026-90032"], cvss=[CRITICAL], withdrawn="2026-10-07T08:00:00Z", day=7),
        record(33, "keelson: release candidates only", [
            row("PyPI", "Keelson", [("introduced", "0.9.1rc1"), ("fixed", "0.9.1")]),
        ], aliases=["CVE-2026-90033"], cvss=[MEDIUM]),
    ],
    "crates.io": [
        record(41, "oakum: unsound caulking", [
            row("crates.io", "oakum", [("introduced", "0.0.0-0"), ("fixed", "0.3.1")], kind="SEMVER"),
        ], aliases=["CVE-2026-90041"], cvss=[HIGH], day=8),
        record(42, "tallow: no longer maintained", [
            {**row("crates.io", "tallow", [("introduced", "0.0.0-0")], kind="SEMVER"), "database_specific": {"informational": "unmaintained"}},
        ]),
    ],
}


# The shape of CISA's catalogue and of FIRST's scores; dates, texts and numbers are invented.
KEV = {
    "title": "Catalogue of exploited vulnerabilities, made up for tests",
    "catalogVersion": "2026.10.05",
    "dateReleased": "2026-10-05T08:00:00Z",
    "count": 1,
    "vulnerabilities": [{
        "cveID": "CVE-2026-90001",
        "vendorProject": "Harbour",
        "product": "hullpaint",
        "vulnerabilityName": "hullpaint overflow",
        "dateAdded": "2026-10-04",
        "shortDescription": "hullpaint overflows while mixing colours.",
        "requiredAction": "Paint again.",
        "dueDate": "2026-10-25",
        "knownRansomwareCampaignUse": "Known",
        "notes": "",
        "cwes": [],
    }],
}
EPSS = """#model_version:v2026.01.01,score_date:2026-10-06
cve,epss,percentile
CVE-2026-90001,0.84210,0.99112
CVE-2026-90002,0.00043,0.12001
CVE-2026-90021,0.91235,0.99640
CVE-2026-90031,9e-05,0.01000
"""


def main():
    for ecosystem, records in RECORDS.items():
        folder = ROOT / ecosystem
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_STORED) as archive:
            for made in sorted(records, key=lambda made: made["id"]):
                text = json.dumps(made, indent=1) + "\n"
                name = made["id"] + ".json"
                (folder / name).write_text(text)
                info = zipfile.ZipInfo(name, (2026, 10, 8, 8, 0, 0))
                info.create_system = 3
                archive.writestr(info, text)
    (ROOT / "ecosystems.txt").write_text("".join(f"{name}\n" for name in sorted(RECORDS)))
    (ROOT / "known_exploited_vulnerabilities.json").write_text(json.dumps(KEV, indent=1) + "\n")
    # Stored blocks: the same bytes whatever compression library Python has.
    (ROOT / "epss_scores-current.csv.gz").write_bytes(gzip.compress(EPSS.encode(), compresslevel=0, mtime=0))


main()
