//! `conda`: packages that conda, mamba and micromamba installed, one JSON record each in an environment's `conda-meta`.
//! Specification: <https://conda.org/learn/ceps/>; purls: <https://github.com/package-url/purl-spec/blob/main/types/conda-definition.json>.

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, json_cursor::Json, lockfile},
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `conda-meta/*.json`. Python distributions that such a package brought are listed by their own records as well: advisories know them
/// by the name that they have there.
pub(super) struct Conda;

impl Cataloger for Conda {
    fn id(&self) -> &'static str {
        "conda"
    }

    fn wants(&self, path: &str) -> Want {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_record = name.ends_with(".json") && (folder == "conda-meta" || folder.ends_with("/conda-meta"));
        if is_record { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| self.wants(file.path) == Want::Bytes), context.limits().packages, |file| {
            let package = parse(&file.bytes(), context.limits())?;
            Ok(package.map(|package| Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        found
    }
}

/// `None` for files that conda keeps beside the records, such as its state.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Package>, CatalogError> {
    let (mut name, mut version, mut build, mut channel, mut subdir, mut licence, mut is_list) = (None, None, None, None, None, None, false);
    let mut json = Json::check(bytes, limits)?;
    if json.is_list() {
        is_list = true;
    }
    json.each_key(|json, key| match key {
        "name" => name = json.text(),
        "version" => version = json.text(),
        "build" | "build_string" => build = build.take().or(json.text()),
        "channel" => channel = json.text(),
        "subdir" => subdir = json.text(),
        "license" => licence = json.text(),
        _ => {}
    });
    let (name, version) = match (name, version) {
        (Some(name), Some(version)) => (name, version),
        (None, None) if !is_list => return Ok(None),
        _ => return Err(CatalogError("holds a name without a version, or the other way round".to_owned())),
    };
    let channel = channel.map(|channel| short_channel(&channel, subdir.as_deref().unwrap_or_default()));
    let qualifiers = BTreeMap::from([
        ("build", build.unwrap_or_default()),
        ("channel", channel.unwrap_or_default()),
        ("subdir", subdir.unwrap_or_default()),
    ]);
    let purl = PackageUrl::new(PackageKind::Conda, None, &name.to_ascii_lowercase(), Some(&version), &qualifiers);
    let licences = licence.into_iter().filter(|licence| licence.len() <= 200).collect();
    Ok(Some(Package { licences, ..Package::new(PackageKind::Conda, name, version, purl, "conda") }))
}

/// `https://host/pkgs/main/linux-64` is `main`, as purls have it.
fn short_channel(channel: &str, subdir: &str) -> String {
    let place = |rest: &str| lockfile::place(rest).unwrap_or_default();
    let path = channel.split_once("://").map_or_else(
        || Some(place(channel)).filter(|path| lockfile::is_plain(path)).unwrap_or_default(),
        |(_, rest)| place(rest).split_once('/').map_or_else(String::new, |(_, path)| path.to_owned()),
    );
    let path = path.trim_matches('/');
    let path = path.strip_suffix(subdir).filter(|_| !subdir.is_empty()).unwrap_or(path).trim_end_matches('/');
    // A server lets in whoever names a token in the path: `t/TOKEN/channel`.
    let mut parts = Vec::new();
    let mut rest = path.split('/');
    while let Some(part) = rest.next() {
        if part == "t" && rest.next().is_some() {
            continue;
        }
        parts.push(part);
    }
    let path = parts.join("/");
    path.strip_prefix("pkgs/").map_or_else(|| path.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn records_are_read() {
        let found = fixture::catalog(
            &Conda,
            &[
                ("opt/conda/conda-meta/keelson-1.0-h1_0.json", "conda/keelson.json"),
                ("opt/conda/conda-meta/state.json", "conda/state.json"),
                ("opt/conda/pkgs/keelson/info/index.json", "conda/keelson.json"),
            ],
        );
        assert_eq!(fixture::purls(&found), ["pkg:conda/keelson@1.0?build=h1_0&channel=conda-forge&subdir=linux-64"]);
        assert_eq!(found.packages[0].licences, ["BSD-3-Clause"]);
        assert_eq!(found.gaps, []);
    }

    #[test]
    fn damaged_records_are_told() {
        let found = fixture::catalog(&Conda, &[("conda-meta/a.json", "conda/malformed.json"), ("conda-meta/b.json", "conda/lone.json")]);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.len(), 2);
    }

    #[test]
    fn channels_are_short() {
        let check = |channel: &str, expected: &str| assert_eq!(short_channel(channel, "linux-64"), expected, "{channel}");
        check("https://repo.example/pkgs/main/linux-64", "main");
        check("https://conda.example/conda-forge/linux-64", "conda-forge");
        check("https://user:secret@conda.example/a/x", "a/x");
        check("https://conda.example/t/secret/acme/linux-64", "acme");
        check("https://conda.example/conda/t/secret/acme/linux-64", "conda/acme");
        check("https://conda.example/t/secret", "");
        check("https://conda.example/t/linux-64", "t");
        check("conda.example/t/secret/acme", "conda.example/acme");
        check("https://user:sec/ret@conda.example/acme?token=secret", "acme");
        check("https://user:sec?ret@conda.example/acme", "");
        check("user:secret@conda.example/acme", "conda.example/acme");
        check("user:secret", "");
        check("conda-forge", "conda-forge");
        check("defaults/linux-64", "defaults");
    }
}
