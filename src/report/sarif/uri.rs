//! Paths in, relative references out (RFC 3986, <https://www.rfc-editor.org/rfc/rfc3986#section-4.2>), without touching the file system.

use std::fmt::Write as _;

use crate::model::{image::ResolvedImage, reference::ImageReference, report::ScanReport};

/// A path of the checkout as a relative URI; `None` for what cannot stand in one (`..`, nothing left, a built-in).
pub(super) fn checkout(path: &str) -> Option<String> {
    if path.starts_with("builtin:") {
        return None;
    }
    let mut uri = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return None;
        }
        if !uri.is_empty() {
            uri.push('/');
        }
        encode(part, &mut uri);
    }
    (!uri.is_empty()).then_some(uri)
}

/// A path inside the image below the image's own URI; `..` stays out.
pub(super) fn below(base: &str, path: &str) -> String {
    checkout(path).map_or_else(|| base.to_owned(), |path| format!("{base}/{path}"))
}

/// The image without tag and digest, as in `registry.acme.example/team/app`.
pub(super) fn repository(image: &ResolvedImage) -> String {
    match &image.reference {
        ImageReference::Registry(reference) => {
            format!("{}/{}", encoded(&reference.registry), checkout(&reference.repository).unwrap_or_default())
        }
        // The folder above is the machine's affair; the last part of the path is what a person called the image.
        ImageReference::OciLayout { path, .. }
        | ImageReference::OciArchive { path, .. }
        | ImageReference::DockerArchive { path, .. }
        | ImageReference::Sbom { path } => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "..");
            format!("local/{}", encoded(name.as_deref().unwrap_or("image")))
        }
        ImageReference::StandardInput { .. } => "local/image".to_owned(),
        // The same name with another tag is the same subject; an id stays as it is.
        ImageReference::Daemon { name, .. } => {
            let name = name.split('@').next().unwrap_or_default();
            let name = name.rsplit_once(':').filter(|(head, tag)| !tag.contains('/') && *head != "sha256").map_or(name, |(name, _)| name);
            format!("local/{}", checkout(name).unwrap_or_default())
        }
    }
}

/// `os-arch[-variant]`.
pub(super) fn platform(image: &ResolvedImage) -> String {
    let platform = &image.platform;
    let parts = [Some(&platform.os), Some(&platform.architecture), platform.variant.as_ref()];
    parts.into_iter().flatten().map(|part| encoded(part)).collect::<Vec<_>>().join("-")
}

/// The category of the Dockerfiles' run.
pub(super) fn dockerfile_category(report: &ScanReport) -> String {
    report.image.as_ref().map_or_else(|| "plimsoll/dockerfile/".to_owned(), |image| format!("plimsoll/{}/dockerfile/", repository(image)))
}

/// The category of the image's run.
pub(super) fn image_category(report: &ScanReport) -> String {
    report
        .image
        .as_ref()
        .map_or_else(|| format!("plimsoll/{}/", report.command), |image| format!("plimsoll/{}/{}/", repository(image), platform(image)))
}

fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    encode(part, &mut out);
    out
}

fn encode(part: &str, out: &mut String) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_relative_references() {
        let check = |input: &str, expected: Option<&str>| assert_eq!(checkout(input).as_deref(), expected, "{input}");
        check("Dockerfile", Some("Dockerfile"));
        check("./a//b/./Dockerfile", Some("a/b/Dockerfile"));
        check("/srv/build/Dockerfile", Some("srv/build/Dockerfile"));
        check("../Dockerfile", None);
        check("a/../../etc/passwd", None);
        check("/", None);
        check("", None);
        check("builtin:default", None);
        check("http://evil/x y", Some("http%3A/evil/x%20y"));
        check("\u{202e}a\\b?#", Some("%E2%80%AEa%5Cb%3F%23"));
    }
}
