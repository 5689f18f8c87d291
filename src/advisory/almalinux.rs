//! AlmaLinux and its kin: what the records of rpm distributions say only in words (advisories.md, section 3). In: ids, summaries, versions; out:
//! module streams, severity words, whether a record is about security, where it names its CVEs.

/// Whether a record is of a kind that is about security only when it names a CVE: bug fixes and enhancements (R13).
#[must_use]
pub fn is_errata_without_security(id: &str) -> bool {
    ["ALBA-", "ALEA-", "RHBA-", "RHEA-", "RLBA-", "RLEA-"].iter().any(|prefix| id.starts_with(prefix))
}

/// Whether a record names its CVEs in `related`, which proves nothing anywhere else (O7): AlmaLinux always does; Rocky Linux and SUSE did before
/// they filled in `upstream`, so theirs count where the record names no CVE elsewhere.
#[must_use]
pub fn joins_related(id: &str, names_a_cve: bool) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| id.starts_with(prefix));
    starts(&["ALSA-", "ALBA-", "ALEA-"]) || (!names_a_cve && starts(&["RLSA-", "RXSA-", "RLBA-", "RLEA-", "SUSE-SU-", "openSUSE-SU-"]))
}

/// The severity word of a summary: `Important: ...`, or `... (Important)` at the end.
#[must_use]
pub fn severity_word(summary: &str) -> Option<&str> {
    let known = |word: &&str| matches!(*word, "Low" | "Moderate" | "Important" | "Critical");
    let first = summary.split_once(": ").map(|(word, _)| word).filter(known);
    first.or_else(|| summary.trim_end().strip_suffix(')')?.rsplit_once('(').map(|(_, word)| word).filter(known))
}

/// The module streams that a summary names, as `name:stream`. The id of a record is none, although it may be written like one.
pub fn streams(summary: &str) -> impl Iterator<Item = &str> {
    summary.split([' ', ',', '(', ')']).map(|word| word.trim_end_matches([':', '.', ';'])).filter(|word| {
        word.split_once(':').is_some_and(|(name, stream)| {
            let is_clean = word.chars().all(|ch| ch.is_ascii_alphanumeric() || "_.+-:".contains(ch));
            !name.is_empty() && !stream.is_empty() && is_clean && !begins_an_id(name)
        })
    })
}

/// `ALSA-2022`, `CVE-2022-1`: capitals, a dash and a number.
fn begins_an_id(name: &str) -> bool {
    name.split_once('-').is_some_and(|(letters, rest)| {
        letters.len() > 1
            && letters.bytes().all(|letter| letter.is_ascii_uppercase())
            && rest.starts_with(|first: char| first.is_ascii_digit())
    })
}

/// Whether a version is that of a package built for a module.
#[must_use]
pub fn is_modular(version: &str) -> bool {
    // Nearly all versions are answered by the first search.
    version.contains(".module") && [".module_el", ".module+el"].iter().any(|tag| version.contains(tag))
}

/// `name:stream` of a modularity label `name:stream:version:context`.
#[must_use]
pub fn stream_of_label(label: &str) -> Option<&str> {
    let end = label.match_indices(':').nth(1).map_or(label.len(), |(at, _)| at);
    label.get(..end).filter(|stream| stream.split_once(':').is_some_and(|(name, stream)| !name.is_empty() && !stream.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r13_related_joins_where_the_feed_has_its_cves_there() {
        for (id, names_a_cve, expected) in [
            ("ALSA-2022:7624", true, true),
            ("RLSA-2021:3891", false, true),
            ("RLSA-2021:3891", true, false),
            ("SUSE-SU-2022:2251-1", false, true),
            ("RHSA-2024:4546", false, false),
            ("GHSA-22f2-v57c-j9cx", false, false),
            ("DSA-4613-1", false, false),
        ] {
            assert_eq!(joins_related(id, names_a_cve), expected, "{id}");
        }
        assert!(is_errata_without_security("RHBA-2024:1") && !is_errata_without_security("RHSA-2024:1"));
    }

    #[test]
    fn summaries_are_read() {
        for (summary, word, found) in [
            ("Important: virt:rhel and virt-devel:rhel security update", Some("Important"), &["virt:rhel", "virt-devel:rhel"][..]),
            ("ALSA-2022:5468: php:8.0 security update (Important)", Some("Important"), &["php:8.0"]),
            ("ALSA-2022:5468: php security update (Important)", Some("Important"), &[]),
            ("Important: security update for php:8.0.", Some("Important"), &["php:8.0"]),
            ("CVE-2022-1:x in perl-DBD-MySQL:4.46; 389-ds:1.4: update", None, &["perl-DBD-MySQL:4.46", "389-ds:1.4"]),
            ("Important: varnish security update", Some("Important"), &[]),
            ("python27:2.7 bug fix update", None, &["python27:2.7"]),
        ] {
            assert_eq!(severity_word(summary), word, "{summary}");
            assert_eq!(streams(summary).collect::<Vec<_>>(), found, "{summary}");
        }
        assert_eq!(stream_of_label("nodejs:12:8020020200326104117:4cda2c84"), Some("nodejs:12"));
        assert_eq!(stream_of_label("nodejs"), None);
        assert!(is_modular("2.7.5-7.module_el8.6.0+2781+fed64c13"));
    }
}
