//! CVSS: a vector in, its base score in tenths out. Specifications: <https://www.first.org/cvss/v3.1/specification-document> and
//! <https://www.first.org/cvss/v2/guide>; 4.0 (<https://www.first.org/cvss/v4.0/specification-document>) is a published lookup over macro vectors,
//! which the `cvss` crate does. A vector that does not parse rates nothing.
//!
//! Every version gives its base score alone: what else a vector says (threat, environment, supplement) is one author's view at one time, so that it is
//! checked and not counted, and scores of all records and versions stay comparable.

use std::collections::BTreeMap;

/// Computes the base score in tenths of a CVSS 2.0, 3.0, 3.1 or 4.0 vector.
#[must_use]
pub fn base_score_tenths(vector: &str) -> Option<u16> {
    if let Some(rest) = vector.strip_prefix("CVSS:3.1/").or_else(|| vector.strip_prefix("CVSS:3.0/")) {
        return version_3(&metrics(rest)?, vector.starts_with("CVSS:3.1"));
    }
    if let Some(rest) = vector.strip_prefix("CVSS:4.0/") {
        return version_4(&metrics(rest)?);
    }
    let rest = vector.trim_start_matches('(').trim_end_matches(')');
    rest.starts_with("AV:").then(|| metrics(rest)).flatten().and_then(|metrics| version_2(&metrics))
}

/// Whether a vector is one of a known version, so that a score can be computed.
#[must_use]
pub fn is_well_formed(vector: &str) -> bool {
    base_score_tenths(vector).is_some()
}

/// The metrics that every 4.0 vector has, and their values (<https://www.first.org/cvss/v4.0/specification-document>, table 23).
const VERSION_4_BASE: &[(&str, &str)] = &[
    ("AV", "N A L P"),
    ("AC", "L H"),
    ("AT", "N P"),
    ("PR", "N L H"),
    ("UI", "N P A"),
    ("VC", "H L N"),
    ("VI", "H L N"),
    ("VA", "H L N"),
    ("SC", "H L N"),
    ("SI", "H L N"),
    ("SA", "H L N"),
];

/// The metrics that a 4.0 vector may have.
const VERSION_4_OPTIONAL: &[(&str, &str)] = &[
    ("E", "X A P U"),
    ("CR", "X H M L"),
    ("IR", "X H M L"),
    ("AR", "X H M L"),
    ("MAV", "X N A L P"),
    ("MAC", "X L H"),
    ("MAT", "X N P"),
    ("MPR", "X N L H"),
    ("MUI", "X N P A"),
    ("MVC", "X H L N"),
    ("MVI", "X H L N"),
    ("MVA", "X H L N"),
    ("MSC", "X H L N"),
    ("MSI", "X S H L N"),
    ("MSA", "X S H L N"),
    ("S", "X N P"),
    ("AU", "X N Y"),
    ("R", "X A U I"),
    ("V", "X D C"),
    ("RE", "X L M H"),
    ("U", "X Clear Green Amber Red"),
];

/// Splits a vector; a metric given twice makes it invalid.
fn metrics(text: &str) -> Option<BTreeMap<&str, &str>> {
    let mut found = BTreeMap::new();
    for part in text.split('/') {
        let (name, value) = part.split_once(':')?;
        if found.insert(name, value).is_some() {
            return None;
        }
    }
    Some(found)
}

fn version_3(metrics: &BTreeMap<&str, &str>, is_31: bool) -> Option<u16> {
    let get = |name: &str| metrics.get(name).copied();
    let changed = match get("S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let vector = weight(get("AV")?, &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let complexity = weight(get("AC")?, &[("L", 0.77), ("H", 0.44)])?;
    let privileges =
        weight(get("PR")?, if changed { &[("N", 0.85), ("L", 0.68), ("H", 0.5)] } else { &[("N", 0.85), ("L", 0.62), ("H", 0.27)] })?;
    let interaction = weight(get("UI")?, &[("N", 0.85), ("R", 0.62)])?;
    let impact_of = |name: &str| weight(get(name)?, &[("H", 0.56), ("L", 0.22), ("N", 0.0)]);
    let base = 1.0 - (1.0 - impact_of("C")?) * (1.0 - impact_of("I")?) * (1.0 - impact_of("A")?);
    let impact = if changed { 7.52 * (base - 0.029) - 3.25 * (base - 0.02_f64).powi(15) } else { 6.42 * base };
    if impact <= 0.0 {
        return Some(0);
    }
    let exploitability = 8.22 * vector * complexity * privileges * interaction;
    let sum = if changed { 1.08 * (impact + exploitability) } else { impact + exploitability };
    let sum = sum.min(10.0);
    // Version 3.1 rounds up over an integer, so that no machine's floating point can shift a score; 3.0 rounds up as it is.
    let tenths = if is_31 {
        let scaled = (sum * 100_000.0).round();
        if scaled % 10_000.0 == 0.0 { scaled / 10_000.0 } else { (scaled / 10_000.0).floor() + 1.0 }
    } else {
        (sum * 10.0).ceil()
    };
    whole(tenths)
}

fn version_2(metrics: &BTreeMap<&str, &str>) -> Option<u16> {
    let get = |name: &str| metrics.get(name).copied();
    let vector = weight(get("AV")?, &[("L", 0.395), ("A", 0.646), ("N", 1.0)])?;
    let complexity = weight(get("AC")?, &[("H", 0.35), ("M", 0.61), ("L", 0.71)])?;
    let authentication = weight(get("Au")?, &[("M", 0.45), ("S", 0.56), ("N", 0.704)])?;
    let impact_of = |name: &str| weight(get(name)?, &[("N", 0.0), ("P", 0.275), ("C", 0.66)]);
    let impact = 10.41 * (1.0 - (1.0 - impact_of("C")?) * (1.0 - impact_of("I")?) * (1.0 - impact_of("A")?));
    if impact == 0.0 {
        return Some(0);
    }
    let exploitability = 20.0 * vector * complexity * authentication;
    whole(((0.6 * impact + 0.4 * exploitability - 1.5) * 1.176 * 10.0).round())
}

/// The crate gets nothing but the base metrics, each with a value that the specification knows: it is more patient with what it reads than we are.
fn version_4(metrics: &BTreeMap<&str, &str>) -> Option<u16> {
    let is_known = |(name, value): (&&str, &&str)| {
        let known = VERSION_4_BASE.iter().chain(VERSION_4_OPTIONAL).find(|(known, _)| known == name);
        known.is_some_and(|(_, values)| values.split(' ').any(|known| known == *value))
    };
    if !metrics.iter().all(is_known) {
        return None;
    }
    let base: Option<String> = VERSION_4_BASE.iter().map(|(name, _)| Some(format!("/{name}:{}", metrics.get(name)?))).collect();
    let vector: ::cvss::v4::Vector = format!("CVSS:4.0{}", base?).parse().ok()?;
    whole((::cvss::v4::Score::from(&vector).value() * 10.0).round())
}

fn weight(value: &str, table: &[(&str, f64)]) -> Option<f64> {
    table.iter().find(|(name, _)| *name == value).map(|(_, weight)| *weight)
}

/// A whole number between 0 and 100 as an integer.
fn whole(tenths: f64) -> Option<u16> {
    (0..=100).find(|candidate| (f64::from(*candidate) - tenths).abs() < 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_vectors_of_version_4_are_well_formed() {
        let base = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        for (vector, expected) in [
            (base.to_owned(), true),
            (format!("{base}/E:P/MSI:S/U:Amber"), true),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(), true),
            (format!("{base}/E:Q"), false),
            (format!("{base}/"), false),
            (format!("{base}/AV:N"), false),
            (format!("{base}/XX:N"), false),
            ("CVSS:4.0/AV:N".to_owned(), false),
            ("CVSS:3.1/AV:N/garbage".to_owned(), false),
            ("9.8".to_owned(), false),
        ] {
            assert_eq!(is_well_formed(&vector), expected, "{vector}");
        }
    }

    #[test]
    fn published_vectors_score_as_published() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(98)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Some(100)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Some(75)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Some(61)),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", Some(78)),
            ("CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", Some(16)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Some(0)),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O", Some(98)),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", Some(100)),
            ("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", Some(75)),
            ("AV:N/AC:M/Au:N/C:N/I:P/A:N", Some(43)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", Some(100)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Some(93)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", Some(87)),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Some(73)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", Some(0)),
            // The base score, whatever the threat and the environment are said to be.
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U/MVC:N/U:Clear", Some(93)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N", None),
            ("CVSS:4.0/av:n/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", None),
            ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
            ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", None),
            ("", None),
        ] {
            assert_eq!(base_score_tenths(vector), expected, "{vector}");
        }
    }

    /// The crate knows every base vector; none of them makes it panic or leave the scale. Every seventh of them has every value of every metric.
    #[test]
    fn every_base_vector_of_version_4_has_a_score() {
        let mut vectors = vec![String::new()];
        for (name, values) in VERSION_4_BASE {
            vectors = vectors.iter().flat_map(|head| values.split(' ').map(move |value| format!("{head}/{name}:{value}"))).collect();
        }
        assert_eq!(vectors.len(), 104_976);
        for vector in vectors.iter().step_by(7) {
            let score = base_score_tenths(&format!("CVSS:4.0{vector}"));
            assert!(score.is_some_and(|score| score <= 100), "{vector}");
        }
    }

    /// Records that rate with a 4.0 vector alone are not "unknown".
    #[test]
    fn corpus_vectors_of_version_4_score() {
        let Some(folder) = std::env::var_os("PLIMSOLL_CORPUS").map(std::path::PathBuf::from) else { return };
        let mut count = 0;
        for feed in ["crates.io", "npm", "Go", "PyPI"] {
            let file = std::fs::File::open(folder.join("corpus/advisories/osv").join(feed).join("all.zip")).unwrap();
            let mut archive = zip::ZipArchive::new(file).unwrap();
            for index in 0..archive.len() {
                let record: serde_json::Value = serde_json::from_reader(archive.by_index(index).unwrap()).unwrap();
                for entry in record["severity"].as_array().into_iter().flatten().filter(|entry| entry["type"] == "CVSS_V4") {
                    let vector = entry["score"].as_str().unwrap();
                    assert!(base_score_tenths(vector).is_some_and(|score| score <= 100), "{vector}");
                    count += 1;
                }
            }
        }
        assert_eq!(count, 62);
    }
}
