//! `HOST=MIRROR` in, the place where an image of HOST is really asked for out. The image keeps its own name and its digests in every report,
//! signature and advisory; only requests and credentials are the mirror's. HOST itself is not asked, so that a closed network stays closed.

use crate::{
    model::reference::RegistryReference,
    registry::error::{list, shown},
};

/// A repository path that stands for any, to find out where the prefix of a mirror ends.
const PROBE: &str = "any/image";

/// A registry that is asked instead of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The registry whose images are meant: host with optional port.
    pub of: String,
    /// Where they are asked for: host with optional port.
    registry: String,
    /// Path before the repository, as proxy caches of several registries have it; empty or ending with `/`.
    prefix: String,
}

/// Why a text is no mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no mirror: {reason}; write HOST=MIRROR or HOST=MIRROR/PATH, without `https://`")]
pub struct MirrorError {
    text: String,
    reason: String,
}

impl Mirror {
    /// Parses `HOST=MIRROR[/PATH]`; both hosts may have a port.
    ///
    /// # Errors
    /// When there is no `=`, or when either side is no registry.
    pub fn parse(text: &str) -> Result<Self, MirrorError> {
        let failed = |reason: String| MirrorError { text: shown(text), reason };
        let (of, mirror) = text.split_once('=').ok_or_else(|| failed("there is no `=`".to_owned()))?;
        let (of, none) = place(of).map_err(failed)?;
        if !none.is_empty() {
            return Err(failed("only the mirror may have a path".to_owned()));
        }
        let (registry, prefix) = place(mirror).map_err(failed)?;
        Ok(Self { of, registry, prefix })
    }

    /// Where the mirror keeps an image.
    fn place(&self, reference: &RegistryReference) -> RegistryReference {
        let repository = format!("{}{}", self.prefix, reference.repository);
        RegistryReference { registry: self.registry.clone(), repository, ..reference.clone() }
    }
}

/// Where an image is asked for: on the mirror of its registry, else where its name says.
pub(super) fn locate(reference: &RegistryReference, mirrors: &[Mirror]) -> RegistryReference {
    mirrors.iter().find(|mirror| mirror.of == reference.registry).map_or_else(|| reference.clone(), |mirror| mirror.place(reference))
}

/// Refuses two mirrors of one registry: which of them is asked must not depend on their order.
///
/// # Errors
/// When a registry has more than one mirror.
pub fn check_mirrors(mirrors: &[Mirror]) -> Result<(), MirrorError> {
    for (at, mirror) in mirrors.iter().enumerate() {
        let same: Vec<String> = mirrors
            .iter()
            .skip(at)
            .filter(|other| other.of == mirror.of)
            .map(|other| format!("{}/{}", other.registry, other.prefix))
            .collect();
        if same.len() > 1 {
            return Err(MirrorError { text: mirror.of.clone(), reason: format!("it has several ({})", list(&same)) });
        }
    }
    Ok(())
}

/// Host and path prefix of a side of the `=`.
fn place(text: &str) -> Result<(String, String), String> {
    let host = text.split('/').next().unwrap_or_default();
    // Without these a name is one of Docker Hub's, and a mistyped mirror would be asked for there.
    if !host.contains(['.', ':']) && !host.eq_ignore_ascii_case("localhost") {
        return Err(format!("`{}` is no registry host", shown(host)));
    }
    let reference =
        RegistryReference::parse(&format!("{}/{PROBE}", text.trim_end_matches('/'))).map_err(|error| shown(&error.to_string()))?;
    let registry = if reference.registry == "registry-1.docker.io" { "docker.io".to_owned() } else { reference.registry };
    let prefix = reference.repository.strip_suffix(PROBE).unwrap_or_default().to_owned();
    Ok((registry, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_asked_for_on_the_mirror_of_its_own_registry_alone() {
        let mirrors: Vec<Mirror> = ["docker.io=harbour.example:8443/hub", "q.example=127.0.0.1:5000", "R.example:5000=localhost"]
            .iter()
            .map(|text| Mirror::parse(text).expect(text))
            .collect();
        for (image, place) in [
            ("alpine:3.20", "harbour.example:8443/hub/library/alpine:3.20"),
            ("q.example/a/b", "127.0.0.1:5000/a/b:latest"),
            ("r.example:5000/a:1", "localhost/a:1"),
            ("r.example/a:1", "r.example/a:1"),
            ("harbour.example:8443/a:1", "harbour.example:8443/a:1"),
        ] {
            let reference = RegistryReference::parse(image).expect(image);
            assert_eq!(locate(&reference, &mirrors).to_string(), place, "{image}");
        }
        assert_eq!(check_mirrors(&mirrors), Ok(()));
        let aliases = Mirror::parse("registry-1.docker.io=m.example/a/b/").expect("mirror");
        assert_eq!((aliases.of.as_str(), aliases.prefix.as_str()), ("docker.io", "a/b/"));
        let error = check_mirrors(&[aliases.clone(), mirrors[1].clone(), aliases]).expect_err("two of one");
        assert!(error.to_string().contains("several (m.example/a/b/, m.example/a/b/)"), "{error}");
    }

    #[test]
    fn what_is_no_mirror_is_refused_with_the_form() {
        for (text, reason) in [
            ("docker.io", "no `=`"),
            ("=m.example", "no registry host"),
            ("docker.io=", "no registry host"),
            ("hub=m.example", "`hub` is no registry host"),
            ("docker.io=mirror/hub", "`mirror` is no registry host"),
            ("docker.io/library=m.example", "only the mirror may have a path"),
            ("docker.io=https://m.example", "no registry host"),
            ("docker.io=m.example/UPPER", "no repository name"),
            ("docker.io=m.example:port", "no registry host"),
            ("docker.io=m.example/a@sha256:00", "digest"),
            ("docker.io=m.example\n", "no registry host"),
        ] {
            let error = Mirror::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason) && error.contains("HOST=MIRROR/PATH") && !error.contains('\n'), "{text}: {error}");
        }
    }
}
