//! `rpm-manifest`: what Azure Linux and CBL-Mariner leave in a distroless image in place of rpm's database, `rpm -qa` with ten columns.
//! Format: <https://github.com/microsoft/CBL-Mariner/blob/2.0/toolkit/docs/how_it_works/5_misc.md>.

use std::collections::BTreeSet;

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found, attribution,
        catalogers::rpm::{self, Record},
    },
    layers::{Limits, Want},
};

const MANIFEST: &str = "var/lib/rpmmanifest/container-manifest-2";

/// Reads `var/lib/rpmmanifest/container-manifest-2`.
pub(super) struct RpmManifest;

impl Cataloger for RpmManifest {
    fn id(&self) -> &'static str {
        "rpm-manifest"
    }

    fn wants(&self, path: &str) -> Want {
        if path.ends_with("rpmmanifest/container-manifest-2") { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let Some(file) = context.view.lookup(MANIFEST) else { return found };
        let (records, error) = parse(&file.bytes(), context.limits());
        if let Some(error) = error {
            found.unreadable(file.path, &error);
        }
        let lower = file.versions.iter().rev().skip(1).map(|version| {
            let (older, _) = parse(&version.bytes(), context.limits());
            (version.layer, Some(older.iter().map(Record::key).collect::<BTreeSet<_>>()))
        });
        let layers = attribution::first_layers(file.layer, records.iter().map(Record::key), lower);
        // A database beside it says the same and more.
        let known = rpm::keys(context);
        for record in records.into_iter().filter(|record| record.is_package() && !known.contains(&record.key())) {
            let layer = layers.get(&record.key()).copied().unwrap_or(file.layer);
            let mut package = record.package(context.distro, self.id());
            package.locations = context.location(layer, file.path);
            found.packages.push(package);
        }
        found
    }
}

/// Name, version-release, times of installing and building, vendor, epoch or `(none)`, size, architecture, epoch as a number, source package.
fn parse(bytes: &[u8], limits: &Limits) -> (Vec<Record>, Option<CatalogError>) {
    let mut records = Vec::new();
    let mut dropped = 0_usize;
    for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let record = (line.len() <= limits.line_bytes && records.len() < limits.packages).then(|| String::from_utf8_lossy(line));
        match record.as_deref().and_then(parse_line) {
            Some(record) => records.push(record),
            None => dropped += 1,
        }
    }
    let error = (dropped > 0).then(|| {
        CatalogError(format!("{dropped} lines are not in the manifest's format, or beyond the limit of {} packages", limits.packages))
    });
    (records, error)
}

fn parse_line(line: &str) -> Option<Record> {
    let mut columns = line.trim_end_matches(['\r', '\n']).split('\t');
    let mut text =
        || columns.next().map(|column| Some(column.trim()).filter(|text| !text.is_empty() && *text != "(none)").map(str::to_owned));
    let (name, version, _installed, _built, vendor, epoch, _size, arch, _number, source) =
        (text()?, text()?, text()?, text()?, text()?, text()?, text()?, text()?, text()?, text()?);
    Some(Record {
        name: name?,
        version: version?,
        epoch: epoch.map(|epoch| epoch.parse().ok()).map_or(Some(None), |epoch: Option<u32>| epoch.map(Some))?,
        arch: arch.unwrap_or_default(),
        source,
        vendor,
        ..Record::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn each_line_is_a_package() {
        let found =
            fixture::catalog(&RpmManifest, &[(MANIFEST, "rpm-manifest/container-manifest-2"), ("etc/os-release", "os-release/amzn")]);
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:rpm/amzn/made-certs@2.0.0-9.made?arch=noarch&distro=amzn-2023&epoch=1&upstream=made-certs-2.0.0-9.made.src.rpm",
                "pkg:rpm/amzn/made-libc@2.35-6.made?arch=x86_64&distro=amzn-2023&upstream=made-libc-2.35-6.made.src.rpm",
            ]
        );
        assert_eq!(found.packages[0].version, "1:2.0.0-9.made");
        assert_eq!(found.packages[0].vendor.as_deref(), Some("Made Up"));
        assert_eq!(found.packages[0].source.as_ref().map(|source| source.name.as_str()), Some("made-certs"));
    }

    #[test]
    fn other_lines_and_other_files_are_not() {
        let found = fixture::catalog(&RpmManifest, &[(MANIFEST, "rpm-manifest/malformed")]);
        assert_eq!(found.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["good"]);
        assert_eq!(found.gaps.len(), 1);
        assert_eq!(RpmManifest.wants("var/lib/rpmmanifest/container-manifest-1"), Want::No);
        assert!(fixture::catalog(&RpmManifest, &[("x", "rpm-manifest/malformed")]).packages.is_empty());
    }

    #[test]
    fn what_a_database_has_is_not_said_twice() {
        let line = b"plain\t1.0-1.made\t1\t1\tMade Up\t(none)\t0\tnoarch\t0\tplain-1.0-1.made.src.rpm\nmore\t1-1\t1\t1\t(none)\t(none)\t0\tnoarch\t0\t(none)\n";
        let (view, layers) = fixture::image(&[&[(MANIFEST, line.to_vec()), ("var/lib/rpm/Packages", fixture::read("rpm/Packages"))]]);
        let found = RpmManifest.catalog(&Context { view: &view, layers: &layers, distro: None });
        assert_eq!(found.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["more"]);
    }
}
