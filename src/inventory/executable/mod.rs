//! Programs and libraries in, what they say of how they were built out: the one examiner that looks at every file that nobody wants by its name.
//! Only headers, tables and the few sections that matter are read, so that an ordinary library costs next to nothing.

mod bundle;
mod classifiers;
mod crates;
mod elf;
mod facts;
mod fields;
mod go_build;
mod go_modules;
mod macho;
mod native_image;
mod object;
mod packed;
mod pe;
mod version_resource;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(in crate::inventory) use classifiers::CLASSIFIERS;
pub(in crate::inventory) use facts::{Assembly, Facts, GoBuild};
pub(in crate::inventory) use go_modules::{Module, Modules};

use crate::{
    inventory::{CATALOGERS, CatalogError, Context, Found},
    layers::{Body, Examiner, FileEntry, Go, Limits},
};
use object::{Format, Object};

/// Bytes that are searched at once, and how many of them are searched again with the next.
const WINDOW: usize = 4 << 20;
const OVERLAP: usize = 512;

/// Looks at executables.
pub(in crate::inventory) struct Executable;

/// The one examiner of executables.
pub(in crate::inventory) static EXECUTABLE: Executable = Executable;

impl Examiner for Executable {
    fn id(&self) -> &'static str {
        "executable"
    }

    fn is_wanted(&self, _path: &str, head: &[u8], _size: u64) -> bool {
        object::format(head).is_some()
    }

    fn examine(&self, path: &str, body: &Body<'_>, _limits: &Limits) -> Vec<u8> {
        let head = body.up_to(0, 512);
        object::format(&head).map_or_else(Vec::new, |format| facts(path, format, body).encode())
    }
}

fn facts(path: &str, format: Format, body: &Body<'_>) -> Facts {
    let mut facts = Facts::default();
    let (object, body) = match Object::read(format, body) {
        Ok(read) => read,
        Err(fault) => {
            facts.fault("binary", fault);
            return facts;
        }
    };
    if let Some(packer) = packed::packer(&object, &body) {
        facts.packed = Some(packer.to_owned());
        return facts;
    }
    for fault in &object.faults {
        facts.fault("binary", fault);
    }
    match go_build::read(&object, &body) {
        Ok(go) => facts.go = go,
        Err(fault) => facts.fault("go-binary", fault),
    }
    match crates::read(&object, &body) {
        Ok(crates) => facts.crates = crates,
        Err(fault) => facts.fault("rust-binary", fault),
    }
    match native_image::read(&object, &body) {
        Ok(components) => facts.components = components,
        Err(fault) => facts.fault("native-image", fault),
    }
    match bundle::deps(&object, &body) {
        Ok(deps) => facts.bundled_deps = deps,
        Err(fault) => facts.fault("dotnet-binary", fault),
    }
    if format == Format::Pe {
        match version_resource::read(&object, &body) {
            Ok(assembly) => facts.assembly = assembly,
            Err(fault) if object.is_managed => facts.fault("dotnet-binary", fault),
            Err(_) => {}
        }
    }
    facts.programs = classifiers::programs(path, &object, &body);
    facts
}

/// Gives `take` everything in pieces that overlap, until it has enough.
fn windows(body: &Body<'_>, mut take: impl FnMut(&[u8]) -> Go) {
    let mut at = 0;
    while at < body.size() {
        let window = body.up_to(at, WINDOW);
        if window.is_empty() || take(&window) == Go::Stop || window.len() < WINDOW {
            return;
        }
        at += (WINDOW - OVERLAP) as u64;
    }
}

/// The executables of an image of which something is known, each once however many names hard links give it.
pub(in crate::inventory) fn each<'a>(context: &Context<'a>) -> impl Iterator<Item = (FileEntry<'a>, Result<Facts, CatalogError>)> {
    let mut seen = BTreeSet::new();
    context.view.files().filter_map(move |file| {
        let extract = file.extract(&EXECUTABLE)?;
        let content = file.versions.last()?.content.as_ref()?;
        if extract.is_empty() || !seen.insert((file.layer, Arc::as_ptr(content).addr())) {
            return None;
        }
        Some((file, Facts::decode(&extract).map_err(CatalogError)))
    })
}

/// Adds a Gap for each fault that concerns the cataloger `of`, but not for files of OS packages: of those the distribution's records tell.
pub(in crate::inventory) fn add_faults(context: &Context<'_>, of: &str, faults: &[(String, String)], found: &mut Found) {
    debug_assert!(CATALOGERS.iter().any(|cataloger| cataloger.id() == of), "{of}");
    if faults.is_empty() {
        return;
    }
    let mut owners: BTreeMap<&str, Option<String>> = faults.iter().map(|(path, _)| (path.as_str(), None)).collect();
    for cataloger in CATALOGERS {
        cataloger.name_owners(context, &mut owners);
    }
    for (path, reason) in faults {
        if owners.get(path.as_str()).is_none_or(Option::is_none) {
            found.unreadable(path, &CatalogError(reason.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    const FIXTURES: &[&str] = &[
        "binary/busybox",
        "binary/packed",
        "dotnet-binary/Acme.Json.dll",
        "dotnet-binary/bundle-1",
        "dotnet-binary/bundle-6",
        "go-binary/elf32",
        "go-binary/elf64-be",
        "go-binary/elf64-pointers",
        "go-binary/macho-fat",
        "go-binary/pe",
        "native-image/server",
        "rust-binary/elf64",
    ];

    #[test]
    fn files_that_nothing_can_run_are_passed_over() {
        let check = |head: &[u8], expected: bool| assert_eq!(EXECUTABLE.is_wanted("a", head, 1000), expected, "{head:?}");
        check(&fixture::read("go-binary/elf64"), true);
        check(&fixture::read("dotnet-binary/Acme.Json.dll"), true);
        check(&fixture::read("go-binary/macho"), true);
        check(b"\x7fELF", false);
        check(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0", false);
        check(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0", false);
        check(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0", true);
        check(b"MZ", false);
        check(b"\xca\xfe\xba\xbe\0\0\0\x34", false);
        check(b"#!/bin/sh", false);
        check(b"", false);
    }

    #[test]
    fn facts_survive_their_extract() {
        for name in FIXTURES {
            let bytes = fixture::read(name);
            let body = Body::new(&bytes);
            let extract = EXECUTABLE.examine("bin/busybox", &body, &Limits::default());
            assert!(!extract.is_empty(), "{name}");
            assert!(Facts::decode(&extract).is_ok_and(|facts| facts.encode() == extract && facts.faults.is_empty()), "{name}");
        }
        assert!(Facts::decode(b"").is_err() && Facts::decode(b"{\"x\":1}").is_err());
        let hello = fixture::read("binary/hello");
        assert!(EXECUTABLE.examine("bin/hello", &Body::new(&hello), &Limits::default()).is_empty());
    }

    #[test]
    fn whatever_is_cut_or_changed_is_survived() {
        for name in FIXTURES {
            let whole = fixture::read(name);
            let examine = |bytes: &[u8]| {
                let extract = EXECUTABLE.examine("bin/python3.11", &Body::new(bytes), &Limits::default());
                assert!(extract.is_empty() || Facts::decode(&extract).is_ok());
            };
            (0..whole.len()).for_each(|end| examine(&whole[..end]));
            for at in 0..whole.len().min(1024) {
                for value in [0, 0x7f, 0xff] {
                    let mut changed = whole.clone();
                    changed[at] = value;
                    examine(&changed);
                }
            }
        }
    }

    #[test]
    fn bundles_give_their_deps() {
        let deps = |name: &str| {
            let bytes = fixture::read(name);
            facts("app", Format::Elf, &Body::new(&bytes)).bundled_deps
        };
        for name in ["dotnet-binary/bundle-1", "dotnet-binary/bundle-6"] {
            assert_eq!(deps(name).as_deref(), Some(r#"{"libraries": {"Acme.Json/13.0.1": {"type": "package"}}}"#), "{name}");
        }
        assert_eq!(deps("binary/hello"), None);
    }

    #[test]
    fn texts_on_the_edge_of_a_window_are_found() {
        let mut bytes = vec![b'.'; WINDOW + 100];
        for at in [WINDOW - 3, WINDOW - 8, WINDOW] {
            let text = b"BusyBox";
            bytes[at..at + text.len()].copy_from_slice(text);
            let mut found = false;
            windows(&Body::new(&bytes), |window| {
                found |= window.windows(text.len()).any(|bytes| bytes == text);
                Go::On
            });
            assert!(found, "{at}");
            bytes[at..at + text.len()].fill(b'.');
        }
    }
}
