//! A bill of materials in, an inventory without layers out. Read are CycloneDX JSON 1.2 to 1.6 (<https://cyclonedx.org/docs/1.6/json/>) and
//! SPDX 2.2 and 2.3 as JSON or tag-value (<https://spdx.github.io/spdx-spec/v2.3/>). The bytes are as hostile as any others.

mod cyclonedx;
mod entry;
mod spdx;
mod tag_value;

use std::collections::{BTreeMap, BTreeSet};

use self::entry::Entry;
use crate::{
    inventory::{CatalogError, json_cursor::Json},
    layers::Limits,
    model::{
        coverage::{Gap, SourceId},
        package::{Basis, Distro, Inventory, Package, PackageKind, SourcePackage},
    },
};

/// Who found a package that only a document names, when the document stands for an image.
const FOUND_BY: &str = "sbom";

/// Reads a document that says what is in an image: packages without locations, the distribution, and what could not be understood.
///
/// # Errors
/// When the bytes are no document of a form that is read.
pub fn read_document(bytes: &[u8], limits: &Limits) -> Result<Inventory, CatalogError> {
    let mut draft = read(bytes, limits, FOUND_BY)?;
    let distro = draft.take_distro();
    draft.note_missing_sources();
    if draft.packages.is_empty() {
        draft.gaps.push(Gap::new(SourceId::Inventory, "nothing-inventoried", "", "the document names no package that is known"));
    } else if distro.is_none() && draft.packages.iter().any(|package| package.kind.is_os()) {
        let reason = "the document does not say which distribution this is; its OS packages cannot be matched with advisories";
        draft.gaps.push(Gap::new(SourceId::Inventory, "no-distro", "", reason));
    }
    let (mut packages, mut gaps) = draft.finish();
    packages.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    packages.dedup();
    gaps.sort();
    gaps.dedup();
    Ok(Inventory { distro, packages, gaps })
}

/// Who found a package that only a bill of materials attached to the image names.
const ATTACHED: &str = "attached-sbom";

/// Adds what a bill of materials names that is attached to the image and that nothing in the image says: programs without a record are told by
/// whoever built them. What the image itself holds is listed as it is there. `name` is how a Gap calls the document.
pub fn attach(inventory: &mut Inventory, name: &str, document: &[u8], limits: &Limits) {
    let gap = |kind, subject: String, reason: String| Gap::new(SourceId::Inventory, kind, subject, reason);
    match read(document, limits, ATTACHED) {
        Ok(draft) => {
            let (packages, gaps) = draft.finish();
            let room = limits.packages.saturating_sub(inventory.packages.len());
            if packages.len() > room {
                let reason =
                    format!("the image has more packages than the limit of {}; those of this document are not all listed", limits.packages);
                inventory.gaps.push(gap("file-limit", name.to_owned(), reason));
            }
            // Nobody saw them in the image.
            inventory.packages.extend(packages.into_iter().take(room).map(|package| Package { basis: Basis::Declared, ..package }));
            drop_known(&mut inventory.packages, ATTACHED);
            inventory.gaps.extend(gaps.into_iter().map(|found| {
                let subject = if found.subject.is_empty() { name.to_owned() } else { format!("{name}: {}", found.subject) };
                Gap { subject, ..found }
            }));
        }
        Err(error) => inventory.gaps.push(gap("record-unreadable", name.to_owned(), error.0)),
    }
    inventory.packages.sort_by(|a, b| (a.sort_key(), a.found_by).cmp(&(b.sort_key(), b.found_by)));
    inventory.packages.dedup();
    inventory.gaps.sort();
    inventory.gaps.dedup();
}

fn order(package: &Package) -> (&str, &str, Option<&str>, &'static str, &[String]) {
    (package.purl.as_str(), &package.version, package.owner.as_deref(), package.basis.name(), &package.licences)
}

/// Whether the bytes say of themselves that they are a document of one of these forms; cheap, and right for what tools write.
pub(super) fn is_document(bytes: &[u8]) -> bool {
    let head = bytes.get(..4096).unwrap_or(bytes);
    let has = |word: &[u8]| {
        let in_part = |part: &[u8]| part.windows(word.len()).any(|window| window == word);
        // The keys of an object may come in any order, so the end of the document counts as well as its beginning.
        in_part(head) || in_part(bytes.get(bytes.len().saturating_sub(4096)..).unwrap_or(bytes))
    };
    has(b"\"bomFormat\"") || has(b"\"spdxVersion\"") || has(b"SPDXVersion:")
}

/// Reads a document of any of the forms.
pub(super) fn read(bytes: &[u8], limits: &Limits, found_by: &'static str) -> Result<Draft, CatalogError> {
    let mut draft = Draft::new(limits, found_by);
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match start.first() {
        Some(b'{') => read_json(bytes, limits, &mut draft)?,
        Some(b'<') => return Err(CatalogError("is a document in XML, which this version does not read".to_owned())),
        _ if start.starts_with(b"SPDXVersion:") || has_tag_line(start) => {
            tag_value::read(&String::from_utf8_lossy(start), &mut draft, limits.line_bytes)?;
        }
        _ => return Err(CatalogError("is neither CycloneDX in JSON nor SPDX in JSON or tag-value form".to_owned())),
    }
    Ok(draft)
}

/// Comments may stand before the first tag.
fn has_tag_line(bytes: &[u8]) -> bool {
    bytes.split(|&byte| byte == b'\n').take(100).any(|line| line.starts_with(b"SPDXVersion:"))
}

/// Reads a document, or the one that an in-toto statement is about (<https://in-toto.io/Statement/v1>), as BuildKit writes them into folders.
fn read_json(bytes: &[u8], limits: &Limits, draft: &mut Draft) -> Result<(), CatalogError> {
    match read_form(bytes, limits, draft)? {
        Some(predicate) if read_form(predicate, limits, draft)?.is_none() => Ok(()),
        Some(_) => Err(CatalogError("is a statement about a statement".to_owned())),
        None => Ok(()),
    }
}

/// Reads a document; of a statement only gives what it says.
fn read_form<'a>(bytes: &'a [u8], limits: &Limits, draft: &mut Draft) -> Result<Option<&'a [u8]>, CatalogError> {
    let mut form = Form::Unknown;
    let mut predicate = None;
    Json::check(bytes, limits)?.each_key(|json, key| match key {
        "bomFormat" if json.text().as_deref() == Some("CycloneDX") => form = Form::CycloneDx,
        "spdxVersion" => form = Form::Spdx,
        // SPDX 3 is a graph of another shape altogether.
        "@graph" if form == Form::Unknown => form = Form::Graph,
        "payload" if form == Form::Unknown => form = Form::Envelope,
        "predicate" => predicate = Some(json.raw()),
        _ => {}
    });
    match (form, predicate) {
        (Form::CycloneDx, _) => cyclonedx::read(&mut Json::check(bytes, limits)?, draft),
        (Form::Spdx, _) => spdx::read(&mut Json::check(bytes, limits)?, draft),
        (Form::Graph, _) => return Err(CatalogError("is SPDX 3, which this version does not read".to_owned())),
        (Form::Envelope, _) => return Err(CatalogError("is a signed envelope around a document, not the document itself".to_owned())),
        (Form::Unknown, Some(predicate)) => return Ok(Some(predicate)),
        (Form::Unknown, None) => return Err(CatalogError("is JSON, but neither CycloneDX nor SPDX".to_owned())),
    }
    Ok(None)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    CycloneDx,
    Spdx,
    Graph,
    Envelope,
}

/// What has been read so far.
#[derive(Debug)]
pub(super) struct Draft {
    found_by: &'static str,
    most: usize,
    most_gaps: usize,
    pub(super) packages: Vec<Package>,
    pub(super) gaps: Vec<Gap>,
    distro: Option<Distro>,
    /// Values of `distro` qualifiers of OS packages, and how many have each.
    distros: BTreeMap<String, usize>,
    unknown: usize,
    dropped: usize,
}

impl Draft {
    fn new(limits: &Limits, found_by: &'static str) -> Self {
        Self {
            found_by,
            most: limits.packages,
            most_gaps: limits.gaps_per_kind,
            packages: Vec::new(),
            gaps: Vec::new(),
            distro: None,
            distros: BTreeMap::new(),
            unknown: 0,
            dropped: 0,
        }
    }

    /// Whether one more is not too many; if it is, it is counted.
    fn has_room(&mut self, count: usize) -> bool {
        let has_room = count < self.most;
        self.dropped += usize::from(!has_room);
        has_room
    }

    fn add(&mut self, entry: Entry) {
        let label = entry.label();
        match entry.into_package(self.found_by) {
            Ok(_) if !self.has_room(self.packages.len()) => {}
            Ok((package, distro)) => {
                if let Some(distro) = distro.filter(|_| package.kind.is_os() && self.distros.len() < 100) {
                    *self.distros.entry(distro).or_default() += 1;
                }
                self.packages.push(package);
            }
            Err(reason) => {
                self.unknown += 1;
                if self.unknown <= self.most_gaps {
                    self.gaps.push(Gap::new(SourceId::Inventory, "component-unidentified", label, reason));
                }
            }
        }
    }

    /// Notes that something of the document was not understood.
    fn doubt(&mut self, subject: &str, reason: String) {
        if self.gaps.len() < self.most_gaps {
            self.gaps.push(Gap::new(SourceId::Inventory, "document-unclear", subject, reason));
        }
    }

    fn set_distro(&mut self, mut distro: Distro) {
        distro.id = normal_id(&distro.id);
        if !distro.id.is_empty() && self.distro.is_none() {
            self.distro = Some(distro);
        }
    }

    /// The distribution that the document names, or else the one that most of its OS packages do.
    fn take_distro(&mut self) -> Option<Distro> {
        if let Some(distro) = self.distro.take() {
            return Some(distro);
        }
        let (most, _) = self.distros.iter().max_by_key(|(name, count)| (**count, std::cmp::Reverse(name.as_str())))?;
        let chosen = of_qualifier(most);
        if self.distros.len() > 1 {
            let all = self.distros.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            self.doubt("distro", format!("packages of several distributions are listed ({all}); {} was taken for the image's", chosen.id));
        }
        Some(chosen)
    }

    /// Advisories of Debian and Alpine are about source packages; a document that names none may hide that a package is one of theirs.
    fn note_missing_sources(&mut self) {
        for kind in [PackageKind::Deb, PackageKind::Apk] {
            let of_kind = || self.packages.iter().filter(|package| package.kind == kind);
            if of_kind().count() > 1 && of_kind().all(|package| package.source.is_none()) {
                let reason = "the document names no source package; advisories are looked up under the packages' own names";
                self.gaps.push(Gap::new(SourceId::Inventory, "document-unclear", kind.purl_type(), reason));
            }
        }
    }

    /// The packages and the Gaps, those of what was left out among them.
    pub(super) fn finish(mut self) -> (Vec<Package>, Vec<Gap>) {
        if self.unknown > self.most_gaps {
            let reason = format!("{} more components have no package URL or no version", self.unknown - self.most_gaps);
            self.gaps.push(Gap::new(SourceId::Inventory, "component-unidentified", "", reason));
        }
        if self.dropped > 0 {
            let reason = format!("the document has more packages than the limit of {}; {} are not listed", self.most, self.dropped);
            self.gaps.push(Gap::new(SourceId::Inventory, "file-limit", self.found_by, reason));
        }
        // Alpine's own tools leave the origin out where it is the package's own name; without one it would match nothing.
        for package in self.packages.iter_mut().filter(|package| package.kind == PackageKind::Apk && package.source.is_none()) {
            package.source = Some(SourcePackage { name: package.name.clone(), version: None });
        }
        (self.packages, self.gaps)
    }
}

/// The id that os-release has, for the names that other tools give distributions.
fn normal_id(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    match name.as_str() {
        "redhat" | "red hat enterprise linux" => "rhel".to_owned(),
        "amazon" | "amazon linux" | "amazonlinux" => "amzn".to_owned(),
        "oracle" | "oracle linux" => "ol".to_owned(),
        "alma" => "almalinux".to_owned(),
        "cbl-mariner" => "mariner".to_owned(),
        "suse linux enterprise server" => "sles".to_owned(),
        _ => name,
    }
}

/// Reads `debian-12`: the version is what stands behind the last dash before a digit.
fn of_qualifier(text: &str) -> Distro {
    let (id, version) = match text.rsplit_once('-') {
        Some((id, version)) if version.starts_with(|first: char| first.is_ascii_digit()) => (id, Some(version.to_owned())),
        _ => (text, None),
    };
    Distro { id: normal_id(id), version_id: version, ..Distro::default() }
}

/// Drops what only an embedded document names where a package manager's own record says the same, or names the package in another version:
/// the record is what is installed, and a document may be older.
pub(super) fn drop_known(packages: &mut Vec<Package>, found_by: &str) {
    if packages.iter().all(|package| package.found_by != found_by) {
        return;
    }
    let known: BTreeSet<(PackageKind, String, Option<String>)> = packages
        .iter()
        .filter(|package| package.found_by != found_by && package.owner.is_none())
        .map(|package| (package.kind, plain_name(package), (!package.kind.is_os()).then(|| package.version.clone())))
        .collect();
    packages.retain(|package| {
        let version = (!package.kind.is_os()).then(|| package.version.clone());
        package.found_by != found_by || !known.contains(&(package.kind, plain_name(package), version))
    });
}

/// The name as far as spelling does not matter.
fn plain_name(package: &Package) -> String {
    match package.kind {
        PackageKind::Pypi => package.name.to_ascii_lowercase().replace(['_', '.'], "-"),
        _ => package.name.clone(),
    }
}

#[cfg(test)]
mod tests;
