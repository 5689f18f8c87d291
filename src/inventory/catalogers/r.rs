//! `r`: installed R packages, one `DESCRIPTION` each in a library.
//! Specification: <https://cran.r-project.org/doc/manuals/r-release/R-exts.html#The-DESCRIPTION-file>.

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `DESCRIPTION` files that say with `Built:` that they are of an installed package and not of a source tree.
pub(super) struct R;

impl Cataloger for R {
    fn id(&self) -> &'static str {
        "r"
    }

    fn wants(&self, path: &str) -> Want {
        if path.ends_with("/DESCRIPTION") { Want::Bytes } else { Want::No }
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

/// `None` for what is no installed package.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Package>, CatalogError> {
    let (mut name, mut version, mut licence, mut is_built) = (None, None, None, false);
    for line in bytes.split(|&byte| byte == b'\n') {
        if line.len() > limits.line_bytes {
            return Err(CatalogError(format!("a line exceeds the limit of {} bytes", limits.line_bytes)));
        }
        // A line that begins with a blank continues the one before it.
        let Some(colon) = line.iter().position(|&byte| byte == b':').filter(|_| !line.starts_with(b" ") && !line.starts_with(b"\t")) else {
            continue;
        };
        let (field, value) = line.split_at(colon);
        let value = || Some(String::from_utf8_lossy(value.get(1..).unwrap_or_default()).trim().to_owned()).filter(|text| !text.is_empty());
        match field {
            b"Package" => name = value(),
            b"Version" => version = value(),
            b"License" => licence = value(),
            b"Built" => is_built = true,
            _ => {}
        }
    }
    if !is_built {
        return Ok(None);
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(CatalogError("says that it is of an installed package, but holds no Package and Version".to_owned()));
    };
    let purl = PackageUrl::new(PackageKind::Cran, None, &name, Some(&version), &BTreeMap::new());
    let licences = licence.into_iter().filter(|licence| licence.len() <= 200).collect();
    Ok(Some(Package { licences, ..Package::new(PackageKind::Cran, name, version, purl, "r") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn installed_packages_are_read() {
        let found =
            fixture::catalog(&R, &[("usr/lib/R/library/mooring/DESCRIPTION", "r/DESCRIPTION"), ("src/mooring/DESCRIPTION", "r/source")]);
        assert_eq!(fixture::purls(&found), ["pkg:cran/mooring@1.0-2"]);
        assert_eq!(found.packages[0].licences, ["GPL (>= 2)"]);
        assert_eq!(found.gaps, []);
    }

    #[test]
    fn damaged_descriptions_are_told() {
        let found = fixture::catalog(&R, &[("usr/lib/R/library/a/DESCRIPTION", "r/malformed")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 1));
    }
}
