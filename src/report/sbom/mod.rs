//! Scan report in, what every bill of materials says of it out, whatever the format: the image, its packages in order and what they are part
//! of, licences, the Gaps, and the time. Nothing here comes from the clock or from chance.

mod contents;
#[cfg(test)]
pub(super) mod fixture;

use std::{collections::BTreeSet, io};

use jiff::Timestamp;

pub(super) use self::contents::{Contents, Entry};
pub(super) use crate::model::licence::{Expression, LIST_VERSION, Licence};
use crate::model::{
    coverage::{Gap, SourceId},
    image::ResolvedImage,
    location::Location,
    package::{Basis, Distro, Package, PackageKind},
    report::ScanReport,
};

/// What a bill of materials is made of.
pub(super) struct Materials<'a> {
    /// The tool's version.
    pub(super) tool_version: &'static str,
    /// The image, when there is one.
    pub(super) image: Option<&'a ResolvedImage>,
    /// The distribution, when the image says which it is.
    pub(super) distro: Option<&'a Distro>,
    /// The packages.
    pub(super) contents: Contents<'a>,
    /// What could not be read.
    pub(super) gaps: BTreeSet<&'a Gap>,
    /// Whether something is known to be missing. What is not known to be missing is not said to be there: files that no package manager
    /// recorded are not all looked at.
    pub(super) is_incomplete: bool,
    /// `SOURCE_DATE_EPOCH`, else when the image was made; to the second, RFC 3339.
    pub(super) time: Option<String>,
}

impl<'a> Materials<'a> {
    /// Gathers them from the one report of a document.
    ///
    /// # Errors
    /// `Unsupported` for several reports: a bill of materials describes one image.
    pub(super) fn of(reports: &'a [ScanReport]) -> io::Result<Self> {
        let [report] = reports else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a bill of materials describes one image"));
        };
        let image = report.image.as_ref();
        let inventory = report.inventory.as_ref();
        let of_the_image = report.verdict.gaps.iter().map(|judged| &judged.gap).filter(|gap| gap.source == SourceId::Image);
        let gaps: BTreeSet<&Gap> = inventory.into_iter().flat_map(|inventory| &inventory.gaps).chain(of_the_image).collect();
        let created = || image.and_then(|image| image.config.created.as_deref()).and_then(|created| created.parse::<Timestamp>().ok());
        Ok(Self {
            tool_version: report.tool_version,
            image,
            distro: inventory.and_then(|inventory| inventory.distro.as_ref()),
            contents: Contents::of(inventory.map_or(&[], |inventory| &inventory.packages)),
            is_incomplete: inventory.is_none() || !gaps.is_empty(),
            gaps,
            time: report.source_date.or_else(created).and_then(seconds),
        })
    }
}

/// RFC 3339 to the second; `None` for years that it cannot write.
fn seconds(time: Timestamp) -> Option<String> {
    let text = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(text)
}

/// The package URL of an image in a registry (<https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md>).
pub(super) fn image_purl(image: &ResolvedImage) -> Option<String> {
    let reference = image.reference.registry()?;
    let name = reference.repository.rsplit('/').next()?.to_ascii_lowercase();
    let tag = reference.tag.as_ref().map(|tag| format!("&tag={tag}")).unwrap_or_default();
    let arch = &image.platform.architecture;
    let is_plain = !arch.is_empty() && arch.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let arch = if is_plain { format!("arch={arch}&") } else { String::new() };
    Some(format!("pkg:oci/{name}@{}?{arch}repository_url={}/{}{tag}", image.digest(), reference.registry, reference.repository))
}

/// What formats have no field for, as name and value.
pub(super) fn properties(package: &Package, image: Option<&ResolvedImage>) -> Vec<(&'static str, String)> {
    let mut said = vec![("plimsoll:found-by", package.found_by.to_owned()), ("plimsoll:basis", package.basis.name().to_owned())];
    for location in &package.locations {
        match location {
            Location::Image { layer, path, .. } => {
                said.push(("plimsoll:layer", layer.to_string()));
                said.push(("plimsoll:path", path.clone()));
            }
            Location::Dockerfile(_) | Location::Policy(_) | Location::History { .. } | Location::Config => {}
        }
    }
    if let Some(origin) = image.and_then(|image| image.origin(&package.locations)) {
        said.extend(origin.side.map(|side| ("plimsoll:origin", side.name().to_owned())));
        let certain = if origin.doubt.is_none() { "" } else { " (uncertain)" };
        said.extend(origin.span.as_ref().map(|span| ("plimsoll:dockerfile-line", format!("{}:{}{certain}", span.file, span.line))));
    }
    said.extend(package.owner.iter().map(|owner| ("plimsoll:owner", owner.clone())));
    if let Some(source) = &package.source {
        said.push(("plimsoll:source-name", source.name.clone()));
        said.extend(source.version.iter().map(|version| ("plimsoll:source-version", version.clone())));
    }
    said.extend(package.modularity.iter().map(|label| ("plimsoll:modularity", label.clone())));
    said
}

/// What records say of the licences; a crate's `A/B` means either.
pub(super) fn licences(package: &Package) -> Vec<Licence> {
    let mut found: Vec<Licence> = package
        .licences
        .iter()
        .filter_map(|text| match Licence::read(text)? {
            Licence::Text(text) if package.kind == PackageKind::Cargo && text.contains('/') => Licence::read(&text.replace('/', " OR "))
                .map(|read| if matches!(read, Licence::Text(_)) { Licence::Text(text) } else { read }),
            read => Some(read),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// How sure the package's identity is, in tenths: a record that names it, a lock file, or traces.
pub(super) const fn confidence(package: &Package) -> u8 {
    match package.basis {
        Basis::Installed | Basis::Application => 10,
        Basis::Declared => 7,
        Basis::Guessed => 4,
    }
}

/// Whether the package is a program of its own and no part for others.
pub(super) const fn is_application(package: &Package) -> bool {
    matches!(package.basis, Basis::Application) || matches!(package.kind, PackageKind::Generic | PackageKind::Bitnami)
}

/// A Gap in one line.
pub(super) fn gap_text(gap: &Gap) -> String {
    if gap.subject.is_empty() { format!("{}: {}", gap.kind, gap.reason) } else { format!("{}: {}: {}", gap.kind, gap.subject, gap.reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_of_four_digit_years() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(seconds(text.parse().unwrap()).as_deref(), expected);
        check("2026-11-01T10:00:00.123456Z", Some("2026-11-01T10:00:00Z"));
        check("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z"));
        check("-000001-01-01T00:00:00Z", None);
    }

    #[test]
    fn crates_mean_either_by_a_slash() {
        let purl = crate::model::package::PackageUrl::parse("pkg:cargo/a@1").unwrap();
        let mut package = Package::new(PackageKind::Cargo, "a".to_owned(), "1".to_owned(), purl, "test");
        package.licences = vec!["MIT/Apache-2.0".to_owned(), "MIT OR Apache-2.0".to_owned(), "a/b".to_owned()];
        let said: Vec<_> = licences(&package)
            .into_iter()
            .map(|licence| match licence {
                Licence::Id(id) => id.to_owned(),
                Licence::Expression(expression) => expression.text,
                Licence::Text(text) => format!("text {text}"),
            })
            .collect();
        assert_eq!(said, ["MIT OR Apache-2.0", "text a/b"]);
    }
}
