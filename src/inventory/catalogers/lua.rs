//! `lua`: rocks that LuaRocks installed, told from where their specifications stand.
//! Specification: <https://github.com/luarocks/luarocks/blob/main/docs/file_locations.md>.

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Finds `rocks-LUA/NAME/VERSION/NAME-VERSION.rockspec`. The file is a Lua program and is not read: LuaRocks itself goes by the folders.
pub(super) struct Lua;

impl Cataloger for Lua {
    fn id(&self) -> &'static str {
        "lua"
    }

    fn wants(&self, path: &str) -> Want {
        if folders(path).is_some() { Want::Presence } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files(), context.limits().packages, |file| {
            let Some((name, version)) = folders(file.path) else { return Ok(None) };
            let expected = format!("/{name}-{version}.rockspec");
            if !file.path.ends_with(&expected) {
                return Err(CatalogError("does not have the name and version of the folders that it stands in".to_owned()));
            }
            let purl = PackageUrl::new(PackageKind::Luarocks, None, &name.to_ascii_lowercase(), Some(version), &BTreeMap::new());
            let package = Package::new(PackageKind::Luarocks, name.to_owned(), version.to_owned(), purl, "lua");
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        found
    }
}

/// Name and version of the folders around a specification in a tree of rocks.
fn folders(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.strip_suffix(".rockspec")?.rsplit('/');
    let _stem = parts.next()?;
    let (version, name, tree) = (parts.next()?, parts.next()?, parts.next()?);
    (tree == "rocks" || tree.starts_with("rocks-")).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn rocks_are_told_by_their_folders() {
        let found = fixture::catalog(
            &Lua,
            &[
                ("usr/local/lib/luarocks/rocks-5.4/mooring/1.2.0-1/mooring-1.2.0-1.rockspec", "lua/mooring.rockspec"),
                ("src/mooring-1.2.0-1.rockspec", "lua/mooring.rockspec"),
                ("usr/local/lib/luarocks/rocks-5.4/mooring/1.2.0-1/doc/x.rockspec", "lua/mooring.rockspec"),
            ],
        );
        assert_eq!(fixture::purls(&found), ["pkg:luarocks/mooring@1.2.0-1"]);
        assert_eq!(found.gaps, []);
    }

    #[test]
    fn rocks_in_wrong_folders_are_told() {
        let found = fixture::catalog(&Lua, &[("usr/lib/luarocks/rocks-5.4/bilge/2-1/mooring-1.2.0-1.rockspec", "lua/mooring.rockspec")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 1));
    }
}
