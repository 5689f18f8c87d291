//! `perl`: distributions that cpanm installed, one record each in `.meta`. Specification: <https://metacpan.org/pod/CPAN::Meta::Spec>.

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, json_cursor::Json},
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `.meta/NAME-VERSION/MYMETA.json`. The `.packlist` that other installers leave names no version.
pub(super) struct Perl;

impl Cataloger for Perl {
    fn id(&self) -> &'static str {
        "perl"
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        let is_record = parts.next() == Some("MYMETA.json") && parts.next().is_some() && parts.next() == Some(".meta");
        if is_record { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| self.wants(file.path) == Want::Bytes), context.limits().packages, |file| {
            let package = parse(&file.bytes(), context.limits())?;
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        found
    }
}

fn parse(bytes: &[u8], limits: &Limits) -> Result<Package, CatalogError> {
    let (mut name, mut version, mut licences) = (None, None, Vec::new());
    Json::check(bytes, limits)?.each_key(|json, key| match key {
        "name" => name = json.text(),
        "version" => version = json.number().or_else(|| json.text()),
        "license" => json.each_item(|json| licences.extend(json.text().filter(|licence| licence != "unknown" && licence.len() <= 200))),
        _ => {}
    });
    let (Some(name), Some(version)) = (name, version) else {
        return Err(CatalogError("holds no name and version".to_owned()));
    };
    licences.sort();
    licences.truncate(20);
    let purl = PackageUrl::new(PackageKind::Cpan, None, &name, Some(&version), &BTreeMap::new());
    Ok(Package { licences, ..Package::new(PackageKind::Cpan, name, version, purl, "perl") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn records_are_read() {
        let found = fixture::catalog(
            &Perl,
            &[
                ("usr/local/lib/perl5/site_perl/5.38/.meta/Mooring-Rope-1.20/MYMETA.json", "perl/MYMETA.json"),
                ("src/Mooring-Rope/MYMETA.json", "perl/MYMETA.json"),
            ],
        );
        assert_eq!(fixture::purls(&found), ["pkg:cpan/Mooring-Rope@1.20"]);
        assert_eq!(found.packages[0].licences, ["perl_5"]);
    }

    #[test]
    fn damaged_records_are_told() {
        let found =
            fixture::catalog(&Perl, &[(".meta/a/MYMETA.json", "perl/malformed.json"), ("x/.meta/a/MYMETA.json", "perl/malformed.json")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 2));
    }
}
