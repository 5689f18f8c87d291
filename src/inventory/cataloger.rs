//! `Cataloger`: one package record format; what it gets and what it gives.

use std::collections::BTreeMap;

use crate::{
    layers::{FileEntry, FileView, Limits, Want},
    model::{
        coverage::{Gap, SourceId},
        image::Layer,
        location::Location,
        mask::masked,
        package::{Distro, Package},
    },
};

/// One package record format.
pub trait Cataloger: Sync {
    /// The permanent id.
    fn id(&self) -> &'static str;

    /// Raised when what it wants changes, so that a cache of layers does not answer with what an older version wanted.
    fn version(&self) -> u32 {
        1
    }

    /// How much it wants of a file. Looks at the path alone; what no cataloger wants is dropped while layers stream.
    fn wants(&self, path: &str) -> Want;

    /// Reads every record of its format.
    fn catalog(&self, context: &Context<'_>) -> Found;

    /// Puts the name of the OS package that owns it behind each path of `paths` that it knows.
    fn name_owners(&self, _context: &Context<'_>, _paths: &mut BTreeMap<&str, Option<String>>) {}
}

/// What catalogers share.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The merged files.
    pub view: &'a FileView,
    /// The image's layers.
    pub layers: &'a [Layer],
    /// The distribution, when known.
    pub distro: Option<&'a Distro>,
}

impl Context<'_> {
    /// The limits of this run.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        self.view.limits()
    }

    /// A record at `path` that came with layer number `layer` of those that were walked.
    #[must_use]
    pub fn location(&self, layer: usize, path: &str) -> Vec<Location> {
        self.layers
            .get(layer)
            .map(|known| Location::Image { layer: known.descriptor.digest.clone(), index: known.index, path: path.to_owned() })
            .into_iter()
            .collect()
    }
}

/// Most bytes of one record file that names many packages; those of the largest projects have a third of that. It is in memory as it is and as it was
/// understood.
pub(super) const RECORD: usize = 32 << 20;
/// Most bytes of a package's name, and of its version.
const NAME: usize = 1024;
/// Most bytes of what is said of one package.
const SAID: usize = 16 << 10;
/// Most bytes of what one cataloger says of all its packages.
pub(super) const TEXT: usize = 16 << 20;
/// Most Gaps of one cataloger.
const UNREADABLE: usize = 500;

/// What a cataloger found.
#[derive(Debug, Default)]
pub struct Found {
    /// Packages, in any order.
    pub packages: Vec<Package>,
    /// Records that could not be read.
    pub gaps: Vec<Gap>,
    /// Bytes of what the packages say, and whether there was more than is kept.
    text: usize,
    is_full: bool,
}

/// Bytes of what is said of a package, or what about it is too long to be true.
pub(super) fn text(package: &Package) -> Result<usize, CatalogError> {
    for (what, text) in [("name", &package.name), ("version", &package.version)] {
        if text.len() > NAME {
            return Err(CatalogError(format!("names a package whose {what} has {} bytes; the limit is {NAME}", text.len())));
        }
    }
    let licences: usize = package.licences.iter().map(String::len).sum();
    let all = licences.saturating_add(package.name.len() + package.version.len()).saturating_add(package.purl.as_str().len());
    if all > SAID {
        return Err(CatalogError(format!("says {all} bytes of the package `{:.80}`; the limit is {SAID}", package.name)));
    }
    Ok(all)
}

impl Found {
    /// Takes a package out of the record file at `path`; one that says too much becomes a Gap. `false` when all of them say more than is kept.
    pub(super) fn admit(&mut self, path: &str, package: Package) -> bool {
        match text(&package) {
            Ok(text) if !self.is_full && self.text.saturating_add(text) <= TEXT => {
                self.text += text;
                self.packages.push(package);
            }
            Ok(_) => self.fill(path),
            Err(error) => self.unreadable(path, &error),
        }
        !self.is_full
    }

    /// Whether nothing more is taken.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Says that nothing more is taken, from the record file at `path` on.
    pub(super) fn fill(&mut self, path: &str) {
        if !self.is_full {
            self.is_full = true;
            let reason = format!("package records say more than the limit of {TEXT} bytes; what stands behind that was not read");
            self.gaps.push(Gap::new(SourceId::Inventory, "file-limit", path, reason));
        }
    }

    /// Adds a Gap about the record file at `path`; of very many, one more Gap says that there are others.
    pub fn unreadable(&mut self, path: &str, error: &CatalogError) {
        match self.gaps.len() {
            // Messages repeat what stood in the record.
            0..UNREADABLE => self.gaps.push(Gap::new(SourceId::Inventory, "record-unreadable", path, masked(&error.0).into_owned())),
            UNREADABLE => {
                let reason = format!("more than {UNREADABLE} record files; the others are not listed");
                self.gaps.push(Gap::new(SourceId::Inventory, "record-unreadable", "", reason));
            }
            _ => {}
        }
    }

    /// Runs one record file per package through `parse`, for formats whose records are files; at most `most` of them give one.
    pub fn each<'a>(
        &mut self,
        files: impl Iterator<Item = FileEntry<'a>>,
        most: usize,
        mut parse: impl FnMut(FileEntry<'a>) -> Result<Option<Package>, CatalogError>,
    ) {
        for file in files {
            match parse(file) {
                Ok(Some(_)) if self.packages.len() >= most => {
                    let reason =
                        format!("the image has more package records than the limit of {most}; this one and those behind it were not read");
                    self.gaps.push(Gap::new(SourceId::Inventory, "file-limit", file.path, reason));
                    break;
                }
                Ok(Some(package)) => {
                    if !self.admit(file.path, package) {
                        break;
                    }
                }
                Ok(None) => {}
                Err(error) => self.unreadable(file.path, &error),
            }
        }
        // Grown by doubling, which for very many packages leaves much room that nobody needs.
        self.packages.shrink_to_fit();
    }
}

/// Why a record file gives no packages, or not all of them; becomes a Gap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CatalogError(pub String);
