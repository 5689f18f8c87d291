//! A package URL in, its parts out: type, namespace, name, version, qualifiers, decoded.
//! Specification: <https://github.com/package-url/purl-spec>.

use std::collections::BTreeMap;

use crate::model::package::PackageUrl;

/// Qualifiers of one package URL that are kept.
const QUALIFIERS: usize = 64;

/// What a package URL says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageUrlParts {
    /// The type, lower case.
    pub purl_type: String,
    /// Namespace, its segments joined by `/`.
    pub namespace: Option<String>,
    /// Name; never empty.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Qualifiers, keys in lower case, empty values left out.
    pub qualifiers: BTreeMap<String, String>,
}

impl PackageUrl {
    /// The parts, percent-decoded; `None` when there is no type or no name, or when something decodes to no text.
    #[must_use]
    pub fn parts(&self) -> Option<PackageUrlParts> {
        let rest = self.as_str().strip_prefix("pkg:")?.trim_start_matches('/');
        // The subpath, then the qualifiers, then the version are cut from the right, as the specification has it.
        let rest = rest.split_once('#').map_or(rest, |(head, _)| head);
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(head, query)| (head, query));
        let (purl_type, path) = rest.split_once('/')?;
        let path = path.trim_matches('/');
        // An at sign in front of the last slash is an npm scope that somebody did not encode.
        let (path, version) = match path.rsplit_once('@') {
            Some((head, version)) if !head.is_empty() && !version.contains('/') => (head, Some(decode(version)?)),
            _ => (path, None),
        };
        let mut segments = path.split('/').filter(|part| !part.is_empty()).map(decode).collect::<Option<Vec<String>>>()?;
        let name = segments.pop().filter(|name| !name.is_empty())?;
        let mut qualifiers = BTreeMap::new();
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')).take(QUALIFIERS) {
            let value = decode(value)?;
            if !key.is_empty() && !value.is_empty() {
                qualifiers.insert(key.to_ascii_lowercase(), value);
            }
        }
        Some(PackageUrlParts {
            purl_type: purl_type.to_ascii_lowercase(),
            namespace: (!segments.is_empty()).then(|| segments.join("/")),
            name,
            version: version.filter(|version| !version.is_empty()),
            qualifiers,
        })
    }
}

/// Percent-decodes; `None` when the result is no UTF-8. A percent sign without two hex digits stands for itself.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = (byte == b'%').then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?))).flatten();
        match pair {
            Some((high, low)) => {
                out.push(high << 4 | low);
                bytes = ahead;
            }
            None => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::PackageKind;

    #[test]
    fn parts_are_decoded() {
        let check = |text: &str, expected: Option<(&str, Option<&str>, &str, Option<&str>)>| {
            let parts = PackageUrl::parse(text).and_then(|purl| purl.parts());
            let found = parts
                .as_ref()
                .map(|parts| (parts.purl_type.as_str(), parts.namespace.as_deref(), parts.name.as_str(), parts.version.as_deref()));
            assert_eq!(found, expected, "{text}");
        };
        check("pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64", Some(("deb", Some("debian"), "libstdc++6", Some("1:12.2.0-14"))));
        check("pkg:npm/%40babel/core@7.0.0", Some(("npm", Some("@babel"), "core", Some("7.0.0"))));
        check("pkg:npm/@babel/core@7.0.0", Some(("npm", Some("@babel"), "core", Some("7.0.0"))));
        check("pkg:npm/@babel/core", Some(("npm", Some("@babel"), "core", None)));
        check("pkg:golang/github.com/a/b@v1.0.0#sub/path", Some(("golang", Some("github.com/a"), "b", Some("v1.0.0"))));
        check("pkg:PyPI/x@1%", Some(("pypi", None, "x", Some("1%"))));
        check("pkg:pypi/x@", Some(("pypi", None, "x", None)));
        check("pkg://pypi/x@1", Some(("pypi", None, "x", Some("1"))));
        check("pkg:pypi/%ff@1", None);
        check("pkg:pypi/", None);
        check("pkg:pypi", None);
        check("pypi/x", None);
    }

    #[test]
    fn what_was_built_comes_back() {
        let qualifiers = BTreeMap::from([("distro", "debian-12".to_owned()), ("upstream", "gcc-12@12.2.0-14+b1".to_owned())]);
        let purl = PackageUrl::new(PackageKind::Deb, Some("debian"), "a b", Some("1~%"), &qualifiers);
        let parts = purl.parts().unwrap();
        assert_eq!((parts.name.as_str(), parts.version.as_deref()), ("a b", Some("1~%")));
        assert_eq!(parts.qualifiers.get("upstream").map(String::as_str), Some("gcc-12@12.2.0-14+b1"));
        assert_eq!(PackageKind::of_purl_type("luarocks"), Some(PackageKind::Luarocks));
        assert_eq!(PackageKind::of_purl_type("oci"), None);
    }
}
