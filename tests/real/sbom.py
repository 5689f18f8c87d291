#!/usr/bin/env python3
"""Validates the bills of materials of one image and compares what they hold: tests/real/sbom.py FOLDER [SYFT]; see sbom.sh.

Prints one line. A validator that is not installed is left out and not named in the line; sbom.sh has said so. Exit 1 on any fault."""
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

folder, syft = Path(sys.argv[1]), sys.argv[2:3]
CYCLONEDX = {"cdx.json": "V1_6", "cdx-1.5.json": "V1_5", "cdx.xml": "V1_6", "cdx-1.5.xml": "V1_5"}
faults, checked = [], []
documents = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
purls = {}
for name, document in documents.items():
    if name == "spdx.json":
        found = [ref["referenceLocator"] for package in document["packages"] for ref in package.get("externalRefs", [])]
        identifiers = [package["SPDXID"] for package in document["packages"]]
        known = {*identifiers, "SPDXRef-DOCUMENT"}
        relations = [(one["spdxElementId"], one["relatedSpdxElement"]) for one in document["relationships"]]
        faults += [f"{name}: relation to {end}" for pair in relations for end in pair if end not in known]
        reached = {end for _, end in relations}
        faults += [f"{name}: {one} is part of nothing" for one in identifiers if one not in reached]
    else:
        found = [component["purl"] for component in document["components"] if "purl" in component]
        identifiers = [component["bom-ref"] for component in document["components"]]
        known = {*identifiers, "image"}
        relations = [(one["ref"], part) for one in document["dependencies"] for part in one["dependsOn"]]
        faults += [f"{name}: relation to {end}" for pair in relations for end in pair if end not in known]
        reached = {end for _, end in relations}
        faults += [f"{name}: {one} is part of nothing" for one in identifiers if one not in reached]
    if len(set(identifiers)) != len(identifiers):
        faults.append(f"{name}: an identifier comes twice")
    purls[name] = Counter(purl for purl in found if not purl.startswith("pkg:oci/"))
count = sum(purls["cdx.json"].values())
faults += [f"{name}: other packages than in cdx.json" for name, found in purls.items() if found != purls["cdx.json"]]

try:
    from xml.etree import ElementTree

    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from cyclonedx.validation.xml import XmlValidator

    for name, version in CYCLONEDX.items():
        validator = (XmlValidator if name.endswith("xml") else JsonStrictValidator)(SchemaVersion[version])
        text = (folder / name).read_text()
        error = validator.validate_str(text)
        if error is not None:
            faults.append(f"{name}: {str(error)[:300]}")
            continue
        read = Bom.from_json(json.loads(text)) if name.endswith("json") else Bom.from_xml(ElementTree.fromstring(text))
        seen = sum(1 for component in read.components if component.purl)
        # Its model is a set: what differs in nothing that it keeps is one there.
        if seen > count or not (count == 0 or seen):
            faults.append(f"{name}: cyclonedx-python-lib reads {seen} of {count} packages")
    checked.append("4 CycloneDX by schema and reader")
except ImportError:
    pass

try:
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = parse_file(str(folder / "spdx.json"))
    faults += [f"spdx.json: {message.validation_message[:300]}" for message in validate_full_spdx_document(document, "SPDX-2.3")[:5]]
    checked.append(f"SPDX by spdx-tools ({len(document.packages)} packages, {len(document.relationships)} relationships)")
except ImportError:
    pass

if syft:
    for name in ("cdx.json", "cdx-1.5.json", "cdx.xml", "spdx.json"):
        answer = subprocess.run([*syft, "convert", str(folder / name), "-o", "syft-json"], capture_output=True, text=True, timeout=300)
        if answer.returncode != 0:
            faults.append(f"{name}: syft cannot read it: {answer.stderr.strip()[-200:]}")
            continue
        # From SPDX it takes the image and the distribution, which has no purl, for packages too.
        artifacts = [artifact["purl"] for artifact in json.loads(answer.stdout)["artifacts"]]
        seen = {purl for purl in artifacts if purl and not purl.startswith("pkg:oci/")}
        expected = len(purls["cdx.json"])
        missing = sorted(set(purls["cdx.json"]) - seen)
        if len(seen) != expected:
            faults.append(f"{name}: syft reads {len(seen)} of {expected} distinct packages, not {missing[:3]}")
    checked.append("syft reads as many")

print(f"{count} packages; {', '.join(checked) or 'nothing but ourselves'}" if not faults else "; ".join(faults[:5]))
sys.exit(1 if faults else 0)
