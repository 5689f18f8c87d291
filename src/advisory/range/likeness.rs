//! Whether two texts may be the same version, told without parsing them: lists of versions are long, and one of them at most is the installed one.
//! In: two texts; out: "certainly not" or "perhaps".

/// Whether two texts may be the same version in any order: their first two numbers do not say otherwise. Epochs may be written or not, so that
/// texts with one may be anything.
pub(super) fn may_be_equal(left: &str, right: &str) -> bool {
    let (Some(left), Some(right)) = (first_numbers(left), first_numbers(right)) else { return true };
    left.0 == right.0 && left.1.zip(right.1).is_none_or(|(left, right)| left == right)
}

/// The first number of a version without leading zeros, and the second one where it follows a dot or is left out; `None` when nobody knows.
fn first_numbers(text: &str) -> Option<(&str, Option<&str>)> {
    if text.contains(['!', ':']) {
        return None;
    }
    let text = text.trim_start_matches('v');
    let digits = |text: &str| text.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(text.len());
    let (first, rest) = text.split_at_checked(digits(text)).filter(|(first, _)| !first.is_empty())?;
    let second = match rest.strip_prefix('.') {
        None if rest.is_empty() => Some(""),
        None => None,
        Some(rest) => rest.get(..digits(rest)).filter(|second| !second.is_empty()).map(|second| second.trim_start_matches('0')),
    };
    Some((first.trim_start_matches('0'), second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_cannot_be_the_same_version_are_not_parsed() {
        for (left, right, expected) in [
            ("1.0", "1.0.0", true),
            ("1", "1.0", true),
            ("v1", "01.00", true),
            ("1.0", "0!1.0", true),
            ("1:1.0", "1.0", true),
            ("1a1", "1.0a1", true),
            ("dev-main", "1.0", true),
            ("1.2", "1.3", false),
            ("1.2.3", "2.2.3", false),
            ("1", "1.1", false),
        ] {
            assert_eq!(may_be_equal(left, right), expected, "{left} {right}");
            assert_eq!(may_be_equal(right, left), expected, "{right} {left}");
        }
    }

    /// Whatever the tools call equal is never passed over.
    #[test]
    fn corpus_equal_versions_may_be_equal() {
        let Some(folder) = std::env::var_os("PLIMSOLL_CORPUS").map(std::path::PathBuf::from) else { return };
        let mut count = 0;
        for name in ["pypi", "maven", "rubygems", "packagist", "nuget", "semver", "cran", "hackage", "pub"] {
            let Ok(text) = std::fs::read_to_string(folder.join("corpus/versions").join(format!("{name}.json"))) else { continue };
            let rows: Vec<(String, String, String)> = serde_json::from_str(&text).unwrap();
            for (left, op, right) in rows.iter().filter(|(_, op, _)| op == "=") {
                count += 1;
                assert!(may_be_equal(left, right), "{name}: {left} {op} {right}");
            }
        }
        println!("{count} equal pairs");
    }
}
