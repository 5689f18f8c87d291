//! Licences that the SPDX list does not know: each text has one `LicenseRef-` name, the same in every document.

use std::collections::BTreeMap;

use crate::{
    model::digest::Digest,
    report::sbom::{self, Expression, Licence, Materials},
};

/// Longest readable part of a name.
const READABLE: usize = 40;

/// Name and text of each licence of a document that is not of the list.
pub(super) fn extracted(materials: &Materials<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let licences = materials.contents.entries().flat_map(|entry| sbom::licences(entry.package));
    for licence in licences {
        match licence {
            Licence::Id(_) => {}
            Licence::Text(text) => {
                found.insert(reference(&text), text);
            }
            Licence::Expression(Expression { references, .. }) => {
                for name in references {
                    let text = format!("A package's record names {name}; the text is not in the record.");
                    found.entry(name).or_insert(text);
                }
            }
        }
    }
    found
}

/// The name of a text: readable where the text is short and plain, told from others by a digest where it is not.
pub(super) fn reference(text: &str) -> String {
    let mut readable = String::new();
    for ch in text.trim().chars().take(READABLE) {
        if ch.is_ascii_alphanumeric() || ch == '.' {
            readable.push(ch);
        } else if !readable.ends_with('-') {
            readable.push('-');
        }
    }
    if readable == text {
        return format!("LicenseRef-{text}");
    }
    let readable = readable.trim_matches('-');
    let digest = Digest::sha256_of(text.as_bytes());
    format!("LicenseRef-{readable}{}{}", if readable.is_empty() { "" } else { "-" }, digest.short())
}

/// The licence of a package as one expression.
pub(super) fn expression(licences: &[Licence]) -> Option<String> {
    let several = licences.len() > 1;
    let one = |licence: &Licence| match licence {
        Licence::Id(id) => (*id).to_owned(),
        Licence::Expression(expression) if several && !expression.is_simple => format!("({})", expression.text),
        Licence::Expression(expression) => expression.text.clone(),
        Licence::Text(text) => reference(text),
    };
    (!licences.is_empty()).then(|| licences.iter().map(one).collect::<Vec<_>>().join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_names_of_their_own() {
        let check = |text: &str, expected: &str| {
            let name = reference(text);
            assert!(name.starts_with(expected), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)), "{name}");
        };
        check("BSD", "LicenseRef-BSD");
        check("GPLv2+", "LicenseRef-GPLv2-");
        check("GPLv2+ and MIT", "LicenseRef-GPLv2-and-MIT-");
        check("\u{202e}", "LicenseRef-");
        assert_eq!(reference("BSD"), "LicenseRef-BSD");
        assert_ne!(reference("GPLv2+"), reference("GPLv2*"));
        assert_eq!(
            expression(&[Licence::read("MIT").unwrap(), Licence::read("MIT OR Zlib").unwrap(), Licence::read("BSD").unwrap()]).as_deref(),
            Some("MIT AND (MIT OR Zlib) AND LicenseRef-BSD")
        );
        assert_eq!(expression(&[Licence::read("MIT OR Zlib").unwrap()]).as_deref(), Some("MIT OR Zlib"));
        assert_eq!(expression(&[]), None);
    }
}
