//! `Manifest`: the main attributes of a jar's manifest
//! (<https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#jar-manifest>).

use std::collections::BTreeMap;

/// The attributes that matter, in lower case.
const KEPT: &[&str] = &[
    "automatic-module-name",
    "bundle-license",
    "bundle-symbolicname",
    "bundle-version",
    "group-id",
    "implementation-title",
    "implementation-vendor-id",
    "implementation-version",
    "plugin-version",
    "short-name",
    "specification-version",
];
/// Most bytes of a value.
const VALUE_BYTES: usize = 4 * 1024;

/// What a manifest says about the archive as a whole.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Manifest(BTreeMap<&'static str, String>);

impl Manifest {
    /// Reads the main section, which ends at the first empty line. Lines that begin with a space continue the one before.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut found: BTreeMap<&'static str, Vec<u8>> = BTreeMap::new();
        let mut open: Option<&'static str> = None;
        // A carriage return alone ends a line too; the empty pieces between it and a line feed are no lines.
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n' || byte == b'\r').peekable();
        while let Some(line) = lines.next() {
            if line.ends_with(b"\r") {
                let _ = lines.next_if(|next| *next == b"\n");
            }
            let line = line.strip_suffix(b"\n").or_else(|| line.strip_suffix(b"\r")).unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if let Some(more) = line.strip_prefix(b" ") {
                if let Some(value) = open.and_then(|key| found.get_mut(key))
                    && value.len() + more.len() <= VALUE_BYTES
                {
                    value.extend_from_slice(more);
                }
                continue;
            }
            let mut halves = line.splitn(2, |&byte| byte == b':');
            let (key, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            open = KEPT.iter().find(|kept| kept.as_bytes().eq_ignore_ascii_case(key)).copied();
            if let Some(key) = open {
                found.insert(key, value.get(..value.len().min(VALUE_BYTES)).unwrap_or_default().to_vec());
            }
        }
        Self(found.into_iter().map(|(key, value)| (key, String::from_utf8_lossy(&value).trim().to_owned())).collect())
    }

    /// The value of an attribute; `key` is in lower case.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The licences that an OSGi bundle names, without their links and descriptions.
    pub(super) fn licences(&self) -> Vec<String> {
        let names = self.get("bundle-license").unwrap_or_default().split(',');
        let names = names.map(|name| name.split(';').next().unwrap_or_default().trim().trim_matches('"'));
        names.filter(|name| !name.is_empty() && name.len() <= 256 && *name != "<<EXTERNAL>>").take(20).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_section_is_read() {
        let check =
            |text: &str, key: &str, expected: Option<&str>| assert_eq!(Manifest::parse(text.as_bytes()).get(key), expected, "{text:?}");
        check("Manifest-Version: 1.0\nImplementation-Title: a\n\nImplementation-Title: b\n", "implementation-title", Some("a"));
        check("Implementation-Title: a\r\n b\r\n  c\r\nX: y\r\n z\r\n", "implementation-title", Some("ab c"));
        check("implementation-TITLE: a\rX: y", "implementation-title", Some("a"));
        check("X: y\r\rImplementation-Title: a\r", "implementation-title", None);
        check("Implementation-Title:a", "implementation-title", Some("a"));
        check("Implementation-Title: ", "implementation-title", None);
        check(" folded into nothing\nShort-Name: a", "short-name", Some("a"));
        check("no colon\nShort-Name: a\n", "short-name", Some("a"));
        check("\u{feff}Short-Name: a\n", "short-name", Some("a"));
        check("", "short-name", None);
        let long = format!("Short-Name: {}\n", "x".repeat(5_000));
        assert_eq!(Manifest::parse(long.as_bytes()).get("short-name").map(str::len), Some(4_095));
    }

    #[test]
    fn licences_of_bundles_are_names() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(Manifest::parse(format!("Bundle-License: {text}\n").as_bytes()).licences(), expected, "{text}");
        };
        check("Apache-2.0;link=\"https://www.apache.org/licenses/LICENSE-2.0.txt\"", &["Apache-2.0"]);
        check("\"EPL-2.0\", MIT", &["EPL-2.0", "MIT"]);
        check("<<EXTERNAL>>", &[]);
    }
}
