//! What a written report says of one id, in words: `plimsoll explain ID --report FILE`. In: a JSON report of one or several platforms; out: for every
//! finding of that id what was decided, where the package came from, and per source which name and version matched which range; for every Gap of that
//! kind and every requirement of that name what it says.

use std::{
    fs::File,
    io::{Read, stdin},
    path::Path,
};

use serde_json::Value;

use crate::{cli::Failure, report::visible};

/// A report longer than this is not read, in bytes.
const LONGEST: u64 = 256 << 20;
/// What evidence says of a match, with the words for it. The rest of the attributes follows under its own names.
const WORDS: &[(&str, &str)] = &[
    ("advisory", "record"),
    ("matched-by", "name looked up"),
    ("matched-as", "looked up as"),
    ("range", "because"),
    ("fix-in", "fixed in what subscribers get"),
    ("confidence", "confidence"),
    ("repositories", "repositories"),
    ("repository", "repository"),
    ("state", "state in the feed"),
    ("urgency", "urgency in the feed"),
    ("frozen", "advisories no longer kept up since"),
    ("shard", "shard"),
];

/// Explains every finding of the report that has this id, or names it as an alias, every Gap of this kind and every requirement. `None`: there is none.
pub(super) fn explain(id: &str, file: &Path) -> Result<Option<String>, Failure> {
    let report = read(file)?;
    let reports = match report.get("reports").and_then(Value::as_array) {
        Some(several) => several.iter().collect(),
        None => vec![&report],
    };
    let mut text = String::new();
    for report in reports {
        let schema = text_of(report, "schema");
        if schema != "plimsoll/report/1" {
            return Err(not_a_report(file, &format!("its schema is `{schema}`")));
        }
        let image = report.pointer("/image/reference").and_then(Value::as_str).unwrap_or_default();
        for finding in list(report, "findings").iter().filter(|finding| is_called(finding, id)) {
            if !text.is_empty() {
                text.push('\n');
            }
            describe(finding, report, image, &mut text);
        }
        let gaps = list(report, "gaps").iter().filter(|gap| text_of(gap, "kind").eq_ignore_ascii_case(id)).map(describe_gap);
        let requirements =
            list(report, "requirements").iter().filter(|asked| text_of(asked, "id").eq_ignore_ascii_case(id)).map(describe_requirement);
        for lines in gaps.chain(requirements) {
            if !text.is_empty() {
                text.push('\n');
            }
            for line in lines {
                text.push_str(&visible(&line));
                text.push('\n');
            }
        }
    }
    Ok((!text.is_empty()).then_some(text))
}

fn read(file: &Path) -> Result<Value, Failure> {
    let source: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(stdin().lock()),
        _ => Box::new(File::open(file).map_err(|error| {
            Failure::new(format!("cannot read {}: {error}", file.display()))
                .hint("write a report first: `plimsoll gate IMAGE -o json=report.json`")
        })?),
    };
    let mut bytes = Vec::new();
    source.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
    if bytes.len() as u64 > LONGEST {
        return Err(not_a_report(file, &format!("it is longer than {} MiB", LONGEST >> 20)));
    }
    serde_json::from_slice(&bytes).map_err(|error| not_a_report(file, &error.to_string()))
}

fn not_a_report(file: &Path, why: &str) -> Failure {
    Failure::new(format!("{} is not a JSON report of plimsoll: {why}", file.display()))
        .hint("write one with `plimsoll gate IMAGE -o json=report.json`")
}

fn is_called(finding: &Value, id: &str) -> bool {
    let same = |name: &str| name.eq_ignore_ascii_case(id);
    same(text_of(finding, "id")) || list(finding, "aliases").iter().filter_map(Value::as_str).any(same)
}

fn describe(finding: &Value, report: &Value, image: &str, out: &mut String) {
    let mut line = |text: String| {
        out.push_str(&visible(&text));
        out.push('\n');
    };
    let package = finding.get("package").map(|package| format!("{} {}", text_of(package, "name"), text_of(package, "version")));
    line([text_of(finding, "id"), package.as_deref().unwrap_or_default()].join("  ").trim_end().to_owned());
    line(text_of(finding, "title").to_owned());
    let severity = finding.get("severity");
    let of_severity = |key: &str| severity.map_or("", |severity| text_of(severity, key));
    let author = of_severity("author");
    let rated = if author.is_empty() { String::new() } else { format!(", by {author}") };
    for (label, value) in [
        ("image", image.to_owned()),
        ("also known as", words(finding, "aliases")),
        ("severity", format!("{}{rated}", of_severity("effective"))),
        ("fixed in", words(finding, "fixed")),
        ("place", text_of(finding, "place").to_owned()),
        ("decision", decision(finding)),
    ] {
        if !value.is_empty() {
            line(format!("{label}: {value}"));
        }
    }
    for location in list(finding, "locations") {
        let path = text_of(location, "path");
        if !path.is_empty() {
            line(format!("found in: {path} (layer {} {})", location.get("layerIndex").unwrap_or(&Value::Null), text_of(location, "layer")));
        }
    }
    for note in list(finding, "notes").iter().filter_map(Value::as_str) {
        line(format!("note: {note}"));
    }
    for evidence in list(finding, "evidence") {
        let source = text_of(evidence, "source");
        line(format!("{source} says {}, {}", text_of(evidence, "id"), text_of(evidence, "state")));
        let no_attributes = serde_json::Map::new();
        let attributes = evidence.get("attributes").and_then(Value::as_object).unwrap_or(&no_attributes);
        let known = WORDS.iter().filter_map(|(key, words)| Some((*words, attributes.get(*key)?.as_str()?)));
        let others = attributes.iter().filter(|(key, _)| WORDS.iter().all(|(known, _)| known != key));
        for (label, value) in known.chain(others.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))) {
            line(format!("  {label}: {value}"));
        }
        let fixed = words(evidence, "fixed");
        if !fixed.is_empty() {
            line(format!("  fixed in: {fixed}"));
        }
        if let Some(as_of) = attributes.get("shard").and_then(Value::as_str).and_then(|shard| as_of(report, source, shard)) {
            line(format!("  as of: {as_of}"));
        }
        let link = text_of(evidence, "link");
        if !link.is_empty() {
            line(format!("  see {link}"));
        }
    }
}

fn describe_gap(gap: &Value) -> Vec<String> {
    let subject = text_of(gap, "subject");
    let mut lines = vec![format!("gap {}  {subject}", text_of(gap, "kind")).trim_end().to_owned()];
    for (label, value) in [
        ("source", text_of(gap, "source").to_owned()),
        ("reason", text_of(gap, "reason").to_owned()),
        ("hint", text_of(gap, "hint").to_owned()),
        ("decision", decision(gap)),
    ] {
        if !value.is_empty() {
            lines.push(format!("{label}: {value}"));
        }
    }
    lines
}

fn describe_requirement(asked: &Value) -> Vec<String> {
    let mut lines = vec![format!("requirement {}, {}", text_of(asked, "id"), text_of(asked, "state"))];
    for (label, value) in
        [("asks for", text_of(asked, "asks").to_owned()), ("found", text_of(asked, "detail").to_owned()), ("decision", decision(asked))]
    {
        if !value.is_empty() {
            lines.push(format!("{label}: {value}"));
        }
    }
    lines
}

fn decision(finding: &Value) -> String {
    let Some(decision) = finding.get("decision") else { return String::new() };
    let clause = text_of(decision, "clause");
    let by = if clause.is_empty() { String::new() } else { format!(" by `{clause}`") };
    format!("{}{by}: {}", text_of(decision, "effect"), text_of(decision, "reason"))
}

/// The date of the data that a source matched with.
fn as_of<'a>(report: &'a Value, source: &str, shard: &str) -> Option<&'a str> {
    let state = list(report, "sources").iter().find(|state| text_of(state, "id") == source)?;
    state.get("details")?.get(format!("shard.{shard}.as-of"))?.as_str()
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn words(value: &Value, key: &str) -> String {
    list(value, key).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_told_with_its_match() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        let report = serde_json::json!({
            "schema": "plimsoll/report/1",
            "image": { "reference": "oci:hull" },
            "sources": [{ "id": "offline", "details": { "shard.debian-12.as-of": "2026-11-01T00:00:00Z" } }],
            "findings": [{
                "id": "CVE-2026-1", "aliases": ["DSA-1-1"], "title": "a\u{1b}[2J leak", "package": { "name": "libkeel", "version": "1.0-1" },
                "severity": { "effective": "high", "author": "vendor" }, "fixed": ["1.0-2"], "place": "Dockerfile:3",
                "locations": [{ "kind": "image", "layer": "sha256:00", "layerIndex": 1, "path": "var/lib/dpkg/status" }],
                "evidence": [{
                    "source": "offline", "id": "DSA-1-1", "state": "open", "fixed": ["1.0-2"], "link": "https://advisories.invalid/1",
                    "attributes": { "advisory": "DSA-1-1", "matched-by": "source", "matched-as": "keel 1.0-1", "range": "below 1.0-2", "shard": "debian-12", "new": "word" },
                }],
                "decision": { "effect": "violation", "clause": "fixable-high", "reason": "high (vendor)" },
            }],
            "gaps": [{ "source": "offline", "kind": "stale", "subject": "npm", "reason": "old", "hint": "update",
                "decision": { "effect": "violation", "clause": "evidence.default", "reason": "stops" } }],
            "requirements": [{ "id": "end_of_life.distro", "asks": "fixes", "state": "violated", "detail": "none since 2024",
                "decision": { "effect": "violation", "clause": "end_of_life.distro", "reason": "over" } }],
        });
        std::fs::write(&file, report.to_string()).unwrap();
        let text = explain("dsa-1-1", &file).unwrap().unwrap();
        let expected = "\
CVE-2026-1  libkeel 1.0-1
a\\u{1b}[2J leak
image: oci:hull
also known as: DSA-1-1
severity: high, by vendor
fixed in: 1.0-2
place: Dockerfile:3
decision: violation by `fixable-high`: high (vendor)
found in: var/lib/dpkg/status (layer 1 sha256:00)
offline says DSA-1-1, open
  record: DSA-1-1
  name looked up: source
  looked up as: keel 1.0-1
  because: below 1.0-2
  shard: debian-12
  new: word
  fixed in: 1.0-2
  as of: 2026-11-01T00:00:00Z
  see https://advisories.invalid/1
";
        assert_eq!(text, expected);
        assert_eq!(explain("CVE-2026-2", &file).unwrap(), None);
        let gap = "gap stale  npm\nsource: offline\nreason: old\nhint: update\ndecision: violation by `evidence.default`: stops\n";
        assert_eq!(explain("stale", &file).unwrap().unwrap(), gap);
        let asked = "requirement end_of_life.distro, violated\nasks for: fixes\nfound: none since 2024\ndecision: violation by `end_of_life.distro`: over\n";
        assert_eq!(explain("end_of_life.distro", &file).unwrap().unwrap(), asked);
        let several = serde_json::json!({ "schema": "plimsoll/reports/1", "reports": [report.clone(), report] });
        std::fs::write(&file, several.to_string()).unwrap();
        assert_eq!(explain("CVE-2026-1", &file).unwrap().unwrap(), format!("{expected}\n{expected}"));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        for text in ["", "[]", "{}", "{\"schema\":\"plimsoll/report/2\"}", "{\"reports\":[1]}", "nonsense"] {
            std::fs::write(&file, text).unwrap();
            let error = explain("CVE-2026-1", &file).unwrap_err();
            assert!(error.to_string().contains("is not a JSON report"), "{text}: {error}");
        }
        assert!(explain("CVE-2026-1", &folder.path().join("none.json")).is_err());
    }
}
