//! The name and the version in the file name of an archive, `name-version[-classifier].jar`, as Maven and its kin write it.

/// Ends that say which archive of an artifact this is, not which version.
const CLASSIFIERS: &[&str] = &[
    "jar-with-dependencies",
    "with-dependencies",
    "sources",
    "javadoc",
    "tests",
    "shaded",
    "shadow",
    "standalone",
    "runner",
    "exec",
    "boot",
    "uber",
    "fat",
    "all",
    "plain",
];

/// How a piece of a version that does not begin with a digit may begin.
const QUALIFIERS: &[&str] = &[
    "alpha",
    "beta",
    "build",
    "cr",
    "dev",
    "ea",
    "final",
    "ga",
    "incubating",
    "jdk",
    "jre",
    "android",
    "m",
    "milestone",
    "pre",
    "preview",
    "rc",
    "release",
    "rev",
    "snapshot",
    "sp",
    "v",
    "b",
    "a",
    "pfd",
    "redhat",
    "atlassian",
    "hadoop",
    "java",
    "fix",
    "hotfix",
    "patch",
    "p",
    "r",
];

/// What a file name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    /// Without the version and the extension.
    pub(super) name: &'a str,
    /// Without a classifier.
    pub(super) version: Option<&'a str>,
}

/// Splits the name of the file at `path`. A version that something else tells decides where.
pub(super) fn split<'a>(path: &'a str, told: Option<&str>) -> FileName<'a> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let stem = without_classifier(stem);
    if let Some(told) = told
        && let Some(version_at) = stem.len().checked_sub(told.len())
        && stem.get(version_at..) == Some(told)
        && let Some(name) = stem.get(..version_at).and_then(|name| name.strip_suffix(['-', '_'])).filter(|name| !name.is_empty())
    {
        return FileName { name, version: stem.get(version_at..) };
    }
    // From the first piece that begins with a digit; but a word that belongs to no version, and digits that begin again, belong to the name.
    let mut split_at: Option<usize> = None;
    let mut before = "";
    let mut after_word = false;
    let mut at = 0;
    for piece in stem.split('-') {
        let is_number = piece.starts_with(|ch: char| ch.is_ascii_digit());
        let restarts = piece.contains('.') && (after_word || piece.strip_prefix(before).is_some_and(|more| more.starts_with('.')));
        match split_at {
            None if is_number && at > 0 => (split_at, before) = (Some(at), piece),
            Some(_) if is_number && restarts => (split_at, before, after_word) = (Some(at), piece, false),
            Some(_) if !is_number => after_word |= !is_qualifier(piece),
            _ => {}
        }
        at += piece.len() + 1;
    }
    let found = split_at.and_then(|at| Some((stem.get(..at.checked_sub(1)?)?, stem.get(at..)?)));
    match found {
        Some((name, version)) => FileName { name, version: Some(version) },
        None => FileName { name: stem, version: None },
    }
}

fn without_classifier(stem: &str) -> &str {
    let cut = |end: &&str| stem.strip_suffix(*end)?.strip_suffix(['-', '.']).filter(|rest| rest.contains(|ch: char| ch.is_ascii_digit()));
    CLASSIFIERS.iter().find_map(cut).unwrap_or(stem)
}

fn is_qualifier(piece: &str) -> bool {
    let word = piece.split(|ch: char| !ch.is_ascii_alphabetic()).next().unwrap_or_default();
    QUALIFIERS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_part() {
        let check = |path: &str, told: &str, name: &str, version: &str| {
            let found = split(path, Some(told).filter(|told| !told.is_empty()));
            assert_eq!((found.name, found.version.unwrap_or_default()), (name, version), "{path}");
        };
        check("lib/guava-31.1-jre.jar", "", "guava", "31.1-jre");
        check("guava.jar", "31.1", "guava", "");
        check("log4j-1.2.17.jar", "", "log4j", "1.2.17");
        check("log4j-1.2-api-2.19.0.jar", "", "log4j-1.2-api", "2.19.0");
        check("log4j-1.2-1.2.17.jar", "", "log4j-1.2", "1.2.17");
        check("log4j-1.2-1.2.17.jar", "1.2.17", "log4j-1.2", "1.2.17");
        check("spark-core_2.12-3.1.0.jar", "", "spark-core_2.12", "3.1.0");
        check("bcprov-jdk15on-1.70.jar", "", "bcprov-jdk15on", "1.70");
        check("foo-1.0-beta-2.jar", "", "foo", "1.0-beta-2");
        check("foo-1.0-SNAPSHOT.jar", "", "foo", "1.0-SNAPSHOT");
        check("foo-1.0-20230101.120000-1.jar", "", "foo", "1.0-20230101.120000-1");
        check("tabula-1.0.5-jar-with-dependencies.jar", "", "tabula", "1.0.5");
        check("app-all.jar", "", "app-all", "");
        check("geronimo-jta_1.1_spec-1.1.1.jar", "", "geronimo-jta_1.1_spec", "1.1.1");
        check("hibernate-core-5.6.0.Final.jar", "", "hibernate-core", "5.6.0.Final");
        check("spring3-core-3.x.jar", "", "spring3-core", "3.x");
        check("h2-2.1.214.jar", "", "h2", "2.1.214");
        check("foo_1.2.3.jar", "1.2.3", "foo", "1.2.3");
        check("1.0.jar", "1.0", "1.0", "");
        check("4.jar", "4", "4", "");
        check("-1.jar", "", "", "1");
        check(".jar", "", "", "");
        check("é-1.jar", "x", "é", "1");
    }
}
