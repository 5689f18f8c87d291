//! Patterns of policy files: packages, paths, images and owners. Checked when the policy is loaded, matched without backtracking.

use crate::{
    model::finding::FindingPackage,
    policy::{Error, fields::text, yaml::Node},
};

/// Reads a purl pattern: `*` anywhere in the version and at the end of the name, nowhere else.
pub(super) fn package(node: &Node) -> Result<String, Error> {
    let pattern = text(node)?;
    let wrong = |message: &str| {
        Err(Error::at(node.place.clone(), format!("`{pattern}`: {message}")).advise("write e.g. pkg:deb/debian/openssl@3.0.*"))
    };
    let Some(rest) = pattern.strip_prefix("pkg:") else { return wrong("a package pattern starts with `pkg:`") };
    if rest.contains(['?', '#']) || rest.contains(char::is_whitespace) {
        return wrong("a package pattern has no qualifiers, no subpath and no blanks");
    }
    let (name, _) = split_version(rest);
    let mut segments = name.split('/');
    if name.matches('/').count() == 0 || segments.any(str::is_empty) {
        return wrong("a package pattern needs a type and a name");
    }
    let stem = name.strip_suffix('*').unwrap_or(name);
    if stem.contains('*') {
        return wrong("`*` may stand in the version and at the end of the name only");
    }
    if stem.ends_with('/') {
        return wrong("the name must not be `*` alone");
    }
    Ok(pattern)
}

/// Reads a path pattern: `*` within a segment, `**` across segments.
pub(super) fn path(node: &Node) -> Result<String, Error> {
    let pattern = text(node)?;
    let trimmed = pattern.trim_start_matches('/');
    if trimmed.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(
            Error::at(node.place.clone(), format!("`{pattern}` is no path in an image or of a Dockerfile")).advise("write e.g. usr/lib/**")
        );
    }
    if trimmed.bytes().all(|b| b"*/?".contains(&b)) {
        return Err(Error::at(node.place.clone(), format!("`{pattern}` fits every path")).advise("name at least one folder or file"));
    }
    if trimmed.split('/').any(|part| part.contains("**") && part != "**") {
        return Err(Error::at(node.place.clone(), format!("`{pattern}`: `**` must stand alone between slashes")));
    }
    Ok(pattern)
}

/// Reads an image pattern: `registry/repository`, the registry literal; `*` stands for any run of characters, slashes too.
pub(super) fn image(node: &Node) -> Result<String, Error> {
    let pattern = text(node)?;
    let (host, rest) = pattern.split_once('/').unwrap_or((&pattern, ""));
    if host.contains('*') || rest.is_empty() {
        return Err(Error::at(node.place.clone(), format!("`{pattern}` is not anchored: the registry must be written out"))
            .advise("write e.g. registry.acme.example/prod/*"));
    }
    if !host.contains(['.', ':']) && host != "localhost" {
        return Err(Error::at(node.place.clone(), format!("`{host}` is no registry host"))
            .advise(format!("for Docker Hub write docker.io/{pattern}")));
    }
    if pattern.contains('@')
        || rest.contains(':')
        || pattern.contains(char::is_whitespace)
        || pattern.bytes().any(|b| b.is_ascii_uppercase())
    {
        return Err(Error::at(
            node.place.clone(),
            format!("`{pattern}`: an image pattern is `registry/repository` in lower case, without tag and digest"),
        ));
    }
    Ok(pattern)
}

/// Reads an owner pattern: exact, or `*@domain`.
pub(super) fn owner(node: &Node) -> Result<String, Error> {
    let pattern = text(node)?;
    match pattern.strip_prefix("*@") {
        Some(domain) if !domain.is_empty() && !domain.contains(['*', '@']) => Ok(pattern),
        None if !pattern.contains('*') => Ok(pattern),
        _ => Err(Error::at(node.place.clone(), format!("`{pattern}` is not anchored")).advise("write a whole address or *@acme.example")),
    }
}

/// Whether `name` is `registry/repository` without tag and digest.
pub(super) fn is_repository_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/:".contains(&b);
    name.split_once('/').is_some_and(|(host, path)| {
        !path.is_empty() && !path.contains(':') && (host.contains(['.', ':']) || host == "localhost") && name.bytes().all(good)
    })
}

/// What to do with a package of which no purl is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WithoutPurl {
    /// Compare type, name and version, whatever the namespace: right for reasons to fail.
    ByName,
    /// It fits nothing: right for permissions.
    NoMatch,
}

/// A checked package pattern, taken apart once for many packages.
pub(super) struct PackagePattern {
    name: String,
    version: Option<String>,
}

/// A package as patterns see it, taken apart once for many patterns.
pub(super) struct PackageText<'f> {
    package: &'f FindingPackage,
    name: Option<String>,
}

impl PackagePattern {
    /// Takes a checked pattern apart.
    pub(super) fn of(pattern: &str) -> Self {
        let (name, version) = split_version(pattern.strip_prefix("pkg:").unwrap_or(pattern));
        Self { name: decode(name), version: version.map(decode) }
    }

    /// Whether `package` fits.
    pub(super) fn fits(&self, package: &PackageText<'_>, without_purl: WithoutPurl) -> bool {
        let PackageText { package, name } = package;
        let name_fits = match (name, without_purl) {
            (Some(name), _) => glob(&self.name, name),
            (None, WithoutPurl::NoMatch) => false,
            (None, WithoutPurl::ByName) => {
                let (kind, rest) = self.name.split_once('/').unwrap_or_default();
                let last = rest.rsplit('/').next().unwrap_or_default();
                package.kind.is_none_or(|own| own.purl_type() == kind) && glob(last, &package.name)
            }
        };
        name_fits && self.version.as_ref().is_none_or(|version| glob(version, &package.version))
    }
}

impl<'f> PackageText<'f> {
    /// Takes a package apart.
    pub(super) fn of(package: &'f FindingPackage) -> Self {
        let name = package.purl.as_ref().map(|purl| decode(purl.without_version().trim_start_matches("pkg:")));
        Self { package, name }
    }
}

/// Whether `package` fits a checked package pattern.
pub(super) fn fits_package(pattern: &str, package: &FindingPackage, without_purl: WithoutPurl) -> bool {
    PackagePattern::of(pattern).fits(&PackageText::of(package), without_purl)
}

/// Whether `path` fits a checked path pattern.
pub(super) fn fits_path(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
    let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    // `reach[i]`: the first `i` segments of the pattern fit what has been read of the path.
    let mut reach = vec![false; pattern.len() + 1];
    let open = |reach: &mut Vec<bool>| {
        for (i, part) in pattern.iter().enumerate() {
            if *part == "**"
                && reach.get(i) == Some(&true)
                && let Some(next) = reach.get_mut(i + 1)
            {
                *next = true;
            }
        }
    };
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    open(&mut reach);
    for segment in path {
        let mut next = vec![false; pattern.len() + 1];
        for (i, part) in pattern.iter().enumerate() {
            if reach.get(i) == Some(&true) {
                let (stay, step) = if *part == "**" { (true, false) } else { (false, glob(part, segment)) };
                if let Some(here) = next.get_mut(i) {
                    *here |= stay;
                }
                if let Some(after) = next.get_mut(i + 1) {
                    *after |= step;
                }
            }
        }
        open(&mut next);
        reach = next;
    }
    reach.last() == Some(&true)
}

/// Whether an owner fits a checked owner pattern.
pub(super) fn fits_owner(pattern: &str, owner: &str) -> bool {
    match pattern.strip_prefix("*@") {
        Some(domain) => owner.rsplit_once('@').is_some_and(|(local, own)| !local.is_empty() && own.eq_ignore_ascii_case(domain)),
        None => pattern.eq_ignore_ascii_case(owner),
    }
}

/// Whether `text` fits `pattern`, where `*` is any run of characters and `?` nothing special; linear in both but for one fall-back point.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    // Most patterns miss before their first `*`; that much is one comparison.
    match pattern.split_once('*') {
        None => return pattern == text,
        Some((literal, _)) if !text.starts_with(literal) => return false,
        Some(_) => {}
    }
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut fall_back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                fall_back = Some((p, t));
                p += 1;
            }
            Some(byte) if Some(byte) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match fall_back {
                Some((star, from)) => {
                    fall_back = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}

/// Splits the version off at the last `@` that stands after the last slash; `@scope` in front of a name is none.
fn split_version(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('@') {
        Some((name, version)) if !version.contains('/') && !name.is_empty() && !name.ends_with('/') => (name, Some(version)),
        _ => (text, None),
    }
}

/// Undoes percent-encoding; what is no valid encoding stays.
fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok()).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        match hex.filter(|_| *first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::{PackageKind, PackageUrl};

    #[test]
    fn globs_match_whole_texts() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("3.0.*", "3.0.11-1", true),
            ("3.0.*", "3.1.0", false),
            ("abc", "abcd", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn paths_match_by_segment() {
        for (pattern, path, expected) in [
            ("usr/lib/**", "usr/lib/x/y.so", true),
            ("usr/lib/**", "usr/lib64/x", false),
            ("**/package.json", "app/node_modules/x/package.json", true),
            ("**/package.json", "package.json", true),
            ("usr/*/x", "usr/lib/x", true),
            ("usr/*/x", "usr/lib/y/x", false),
            ("/usr/bin/su", "usr/bin/su", true),
            ("a/**/b/**/c", "a/x/b/y/z/c", true),
            ("a/**/b/**/c", "a/x/c", false),
        ] {
            assert_eq!(fits_path(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn packages_match_by_purl() {
        let purl = PackageUrl::new(PackageKind::Deb, Some("debian"), "libstdc++6", Some("1:12.2.0-14"), &std::collections::BTreeMap::new());
        let with = FindingPackage {
            kind: Some(PackageKind::Deb),
            name: "libstdc++6".to_owned(),
            version: "1:12.2.0-14".to_owned(),
            purl: Some(purl),
        };
        let without = FindingPackage { purl: None, ..with.clone() };
        for (pattern, fits, by_name) in [
            ("pkg:deb/debian/libstdc++6", true, true),
            ("pkg:deb/debian/libstdc%2B%2B6@1:12.*", true, true),
            ("pkg:deb/debian/libstdc*", true, true),
            ("pkg:deb/ubuntu/libstdc++6", false, true),
            ("pkg:rpm/debian/libstdc++6", false, false),
            ("pkg:deb/debian/libstdc++6@11*", false, false),
        ] {
            assert_eq!(fits_package(pattern, &with, WithoutPurl::NoMatch), fits, "{pattern}");
            assert_eq!(fits_package(pattern, &without, WithoutPurl::ByName), by_name, "{pattern}");
            assert!(!fits_package(pattern, &without, WithoutPurl::NoMatch), "{pattern}");
        }
        assert_eq!(split_version("npm/@babel/core"), ("npm/@babel/core", None));
        assert_eq!(split_version("npm/@babel/core@7.*"), ("npm/@babel/core", Some("7.*")));
    }

    #[test]
    fn owners_match_by_whole_domain() {
        assert!(fits_owner("*@acme.example", "jane@ACME.example"));
        assert!(!fits_owner("*@acme.example", "eve@evil-acme.example"));
        assert!(!fits_owner("*@acme.example", "@acme.example"));
    }
}
