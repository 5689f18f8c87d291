//! A feed of the advisory database. The first byte says which: an OSV record, which is built into a shard and asked of every package that it names; the
//! updates of Amazon Linux, as XML and as gzip; the states of Debian's tracker. The second byte chooses the ecosystem of a record.
#![no_main]

use std::{collections::BTreeMap, fs::File, io::Write as _, path::Path};

use libfuzzer_sys::fuzz_target;
use plimsoll::{
    advisory::{self, Database, Gathered, SOURCES, ecosystem::ECOSYSTEMS, matcher::match_inventory, sources::osv::parse_record},
    model::package::{Distro, Inventory, Package, PackageUrl},
};

fuzz_target!(|data: &[u8]| {
    let [kind, place, rest @ ..] = data else { return };
    let folder = tempfile::tempdir().expect("folder");
    match kind % 4 {
        0 => record(folder.path(), usize::from(*place), rest),
        1 => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(rest).expect("memory");
            read(folder.path(), "amazon/2023/core/x86_64/updateinfo.xml.gz", &gzip.finish().expect("memory"));
        }
        2 => read(folder.path(), "amazon/2/php8.0/x86_64/updateinfo.xml.gz", rest),
        _ => read(folder.path(), "debian-tracker/debian.json", rest),
    }
});

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
    std::fs::write(path, bytes).expect("file");
}

/// Everything that a source finds in a folder, read.
fn read(folder: &Path, name: &str, bytes: &[u8]) {
    put(folder, name, bytes);
    for source in SOURCES {
        let Ok(listing) = source.find(folder) else { continue };
        for feed in &listing.feeds {
            let mut into = Gathered::new(feed.ecosystem, "2026-11-22T00:00:00Z".parse().expect("time"));
            let _ = source.read(feed, &mut into);
        }
    }
}

fn record(folder: &Path, place: usize, bytes: &[u8]) {
    let Ok(record) = parse_record(bytes) else { return };
    let ecosystem = &ECOSYSTEMS[place % ECOSYSTEMS.len()];
    let (from, out) = (folder.join("from"), folder.join("out"));
    std::fs::create_dir_all(from.join(ecosystem.name)).expect("folder");
    let mut archive = zip::ZipWriter::new(File::create(from.join(ecosystem.name).join("all.zip")).expect("file"));
    archive.start_file("A-1.json", zip::write::SimpleFileOptions::default()).expect("entry");
    archive.write_all(bytes).expect("entry");
    archive.finish().expect("archive");
    if advisory::build(&from, &out, "2026-11-22T00:00:00Z".parse().expect("time")).is_err() {
        return;
    }
    let database = Database::open(&out).expect("what was built opens");
    let distros = [None, Some(("debian", "12")), Some(("alpine", "3.20.1")), Some(("amzn", "2023")), Some(("almalinux", "8.10")), Some(("ubuntu", "22.04"))];
    for affected in record.affected.iter().take(8) {
        for version in affected.versions.iter().take(4).map(String::as_str).chain(["1.0", "1:2.0-3.el8", "0"]) {
            let purl = PackageUrl::new(ecosystem.kind, None, &affected.name, Some(version), &BTreeMap::new());
            let package = Package::new(ecosystem.kind, affected.name.clone(), version.to_owned(), purl, "fuzz");
            for distro in distros {
                let distro = distro.map(|(id, release)| Distro {
                    id: id.to_owned(),
                    version_id: Some(release.to_owned()),
                    ..Distro::default()
                });
                let inventory = Inventory { distro, packages: vec![package.clone()], ..Inventory::default() };
                let _ = match_inventory(&database, &inventory);
            }
        }
    }
}
