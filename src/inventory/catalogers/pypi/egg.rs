//! Eggs as zip files: a whole distribution in one file on Python's path, its metadata inside.
//! Specification: <https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html>.

use super::{Context, Found, Limits, Package, metadata};
use crate::{
    inventory::{
        CatalogError,
        archive::{Budget, Zip},
    },
    layers::{Body, Examiner, FileEntry},
};

const METADATA: &str = "EGG-INFO/PKG-INFO";
/// Bytes of metadata that are looked at; the description at its end does not matter.
const METADATA_BYTES: usize = 256 * 1024;
/// What an extract begins with: metadata, or why there is none.
const FOUND: u8 = b'+';
const FAULT: u8 = b'-';

/// Whether a path is one of them.
pub(super) fn is_egg(folder: &str, name: &str) -> bool {
    name.ends_with(".egg") && (folder.ends_with("site-packages") || folder.ends_with("dist-packages"))
}

/// Takes the metadata out of eggs.
pub(super) struct Eggs;

impl Examiner for Eggs {
    fn id(&self) -> &'static str {
        "egg"
    }

    fn is_wanted(&self, _path: &str, _head: &[u8], _size: u64) -> bool {
        true
    }

    fn examine(&self, _path: &str, body: &Body<'_>, limits: &Limits) -> Vec<u8> {
        let (kind, content) = match read(*body, limits) {
            Ok(metadata) => (FOUND, metadata),
            Err(reason) => (FAULT, reason.into_bytes()),
        };
        [&[kind], content.as_slice()].concat()
    }
}

fn read(body: Body<'_>, limits: &Limits) -> Result<Vec<u8>, String> {
    let mut budget = Budget::new(limits);
    let zip = Zip::open(body).map_err(|fault| format!("is an egg that cannot be read: {fault}"))?;
    let (entries, faults) = zip.entries(&mut budget, |name| name == METADATA);
    let Some(entry) = entries.first() else {
        let why = faults.first().map_or_else(String::new, |fault| format!(": {fault}"));
        return Err(format!("is an egg without {METADATA}{why}"));
    };
    let bytes = zip.read(entry, METADATA_BYTES, &mut budget).map_err(|fault| format!("is an egg that cannot be read: {fault}"))?;
    Ok(bytes.into_owned())
}

/// The package of one egg.
pub(super) fn catalog(context: &Context<'_>, file: &FileEntry<'_>, found: &mut Found) {
    let extract = file.extract(&Eggs).unwrap_or_default();
    let parsed = match extract.split_first() {
        Some((&FOUND, bytes)) => metadata::parse(bytes, context.limits()),
        Some((_, reason)) => Err(CatalogError(String::from_utf8_lossy(reason).into_owned())),
        None => Err(CatalogError("is an egg that was not looked into".to_owned())),
    };
    match parsed {
        Ok(package) => {
            let path = format!("{}!/{METADATA}", file.path);
            // Eggs are written by one layer as a whole; what an examiner says of lower versions tells whether it is the same.
            let layer = file
                .versions
                .iter()
                .rev()
                .take_while(|version| version.extract(&Eggs).as_deref() == Some(extract.as_ref()))
                .last()
                .map_or(file.layer, |version| version.layer);
            found.packages.push(Package { locations: context.location(layer, &path), ..package });
        }
        Err(error) => found.unreadable(file.path, &error),
    }
}
