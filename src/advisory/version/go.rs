//! Go: semantic versioning by precedence with a leading `v` (<https://go.dev/ref/mod#versions>). `+incompatible` is metadata, so that it does
//! not count, and pseudo-versions are pre-releases like any other. Releases of Go itself (`go1.21rc2`, <https://go.dev/doc/toolchain#version>)
//! are read as the vulnerability database of Go writes them: `1.21.0-rc.2`.

use super::{digits, semver};

/// Parses the version of a module, or of a Go release.
pub(super) fn parse(text: &str) -> Option<::semver::Version> {
    semver::parse(text).or_else(|| semver::parse(&of_release(text)?))
}

/// Whether a version names a commit and not a release: `v0.0.0-20200622213623-75b288015ac9` and the like.
#[must_use]
pub fn is_pseudo_version(text: &str) -> bool {
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    let mut parts = text.rsplitn(3, '-');
    let (Some(commit), Some(time), Some(_)) = (parts.next(), parts.next(), parts.next()) else { return false };
    // The time stands alone, or behind `0.` or behind `pre.0.`.
    let time = match time.rsplit_once('.') {
        Some((before, time)) if before == "0" || before.ends_with(".0") => time,
        Some(_) => return false,
        None => time,
    };
    commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_alphanumeric()) && time.len() == 14 && digits::are_all(time)
}

/// `go1.21`, `go1.21rc2` and `go1.21.3` as semantic versions.
fn of_release(text: &str) -> Option<String> {
    let text = text.strip_prefix("go").unwrap_or(text);
    let (numbers, pre) = match text.find(|ch: char| ch.is_ascii_alphabetic()) {
        Some(at) => text.split_at_checked(at)?,
        None => (text, ""),
    };
    let mut parts = numbers.split('.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    if parts.next().is_some() || ![major, minor, patch].into_iter().all(digits::are_all) {
        return None;
    }
    let mut version = format!("{major}.{minor}.{patch}");
    if !pre.is_empty() {
        let (word, number) = ["rc", "beta"].into_iter().find_map(|word| Some((word, pre.strip_prefix(word)?)))?;
        if !digits::are_all(number) {
            return None;
        }
        version.push_str(&format!("-{word}.{number}"));
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudo_versions_name_commits() {
        for (text, expected) in [
            ("v0.0.0-20200622213623-75b288015ac9", true),
            ("0.0.0-20200622213623-75b288015ac9", true),
            ("v1.2.4-0.20191109021931-daa7c04131f5", true),
            ("v1.2.3-pre.0.20191109021931-daa7c04131f5+incompatible", true),
            ("v1.2.3", false),
            ("v1.2.3-rc.1", false),
            ("v1.2.3-20191109021931", false),
            ("v1.2.3-2019110902193-daa7c04131f5", false),
            ("v1.2.3-rc1.20191109021931-daa7c04131f5", false),
            ("", false),
        ] {
            assert_eq!(is_pseudo_version(text), expected, "{text}");
        }
    }
}
