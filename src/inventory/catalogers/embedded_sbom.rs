//! `embedded-sbom`: bills of materials that vendors put into their images, as Bitnami, Chainguard and Python wheels (PEP 770) do.
//! Specifications: <https://cyclonedx.org/docs/1.6/json/>, <https://spdx.github.io/spdx-spec/v2.3/>.

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, sbom},
    layers::Want,
    model::package::Package,
};

/// The id, which also tells what only a document names.
pub(super) const ID: &str = "embedded-sbom";

/// Reads documents at the places and under the names that vendors use. What they name is taken for installed; where a package manager has a
/// record of the same package, the record counts and not the document.
pub(super) struct EmbeddedSbom;

impl Cataloger for EmbeddedSbom {
    fn id(&self) -> &'static str {
        ID
    }

    fn wants(&self, path: &str) -> Want {
        match name_of(path) {
            Name::Document | Name::Maybe => Want::Bytes,
            Name::Unread => Want::Presence,
            Name::Other => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        for file in context.view.files() {
            let name = name_of(file.path);
            if name == Name::Other {
                continue;
            }
            if name == Name::Unread {
                found.unreadable(file.path, &CatalogError("is a bill of materials in a form that this version does not read".to_owned()));
                continue;
            }
            let bytes = file.bytes();
            // Other files go by these names as well.
            if name == Name::Maybe && !sbom::is_document(&bytes) {
                continue;
            }
            match sbom::read(&bytes, context.limits(), ID) {
                Ok(draft) => {
                    let location = context.location(attribution::content_layer(&file), file.path);
                    let (packages, gaps) = draft.finish();
                    found.gaps.extend(gaps.into_iter().map(|mut gap| {
                        gap.subject = if gap.subject.is_empty() { file.path.to_owned() } else { format!("{}: {}", file.path, gap.subject) };
                        gap
                    }));
                    found.packages.extend(packages.into_iter().map(|package| Package { locations: location.clone(), ..package }));
                }
                Err(error) => found.unreadable(file.path, &error),
            }
            if found.packages.len() > context.limits().packages {
                // The inventory says how many are too many.
                break;
            }
        }
        found
    }
}

/// What a path says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// It is a document.
    Document,
    /// It is one if its bytes say so.
    Maybe,
    /// It is one in a form that is not read.
    Unread,
    /// It is something else.
    Other,
}

fn name_of(path: &str) -> Name {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let below = |place: &str| folder == place || folder.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
    let parent = folder.rsplit('/').next().unwrap_or_default();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends(&[".spdx.json", ".cdx.json", ".cyclonedx.json"]) || (name.starts_with(".spdx-") && name.ends_with(".spdx")) {
        return Name::Document;
    }
    if ends(&[".cdx.xml", ".spdx.xml", ".spdx.rdf", ".spdx.yaml", ".spdx.yml"]) || matches!(name, "sbom.xml" | "bom.xml") {
        return Name::Unread;
    }
    let is_place = parent == "sbom" || parent == "sboms" || below("usr/local/share/sbom");
    let is_name = matches!(name, "sbom.json" | "bom.json" | "sbom" | "spdx.json" | "cyclonedx.json" | "sbom.spdx")
        || ends(&[".bom.json", ".sbom.json", "-sbom.json"]);
    if is_name || (is_place && ends(&[".json", ".spdx"])) { Name::Maybe } else { Name::Other }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn documents_are_told_by_name() {
        let check = |path: &str, expected: Name| assert_eq!(name_of(path), expected, "{path}");
        check("opt/bitnami/redis/.spdx-redis.spdx", Name::Document);
        check("var/lib/db/sbom/busybox-1.36.1-r5.spdx.json", Name::Document);
        check("usr/lib/python3/site-packages/a-1.dist-info/sboms/auditwheel.cdx.json", Name::Document);
        check("usr/local/share/sbom/app.json", Name::Maybe);
        check("app/sbom.json", Name::Maybe);
        check("app/app.bom.json", Name::Maybe);
        check("app/bom.xml", Name::Unread);
        check("app/package.json", Name::Other);
        check("opt/bitnami/redis/licenses/x.txt", Name::Other);
        check("opt/bitnami/ghost/node_modules/x/package.json", Name::Other);
    }

    #[test]
    fn documents_of_vendors_are_read() {
        let found = fixture::catalog(
            &EmbeddedSbom,
            &[
                ("opt/bitnami/quayside/.spdx-quayside.spdx", "embedded-sbom/bitnami.spdx"),
                ("var/lib/db/sbom/harbour-1.2-r0.spdx.json", "embedded-sbom/melange.spdx.json"),
            ],
        );
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:apk/wolfi/harbour@1.2-r0?arch=x86_64",
                "pkg:bitnami/quayside@3.1.0-2?arch=amd64&distro=debian-12",
                "pkg:golang/github.com/example/bilge@v0.4.0"
            ]
        );
        assert_eq!(found.gaps, []);
    }

    #[test]
    fn other_files_of_these_names_are_left_alone_and_damaged_documents_told() {
        let silent = fixture::catalog(&EmbeddedSbom, &[("app/sbom.json", "npm/package.json"), ("app/bom.json", "npm/malformed.json")]);
        assert!(silent.packages.is_empty() && silent.gaps.is_empty());
        let damaged = fixture::catalog(
            &EmbeddedSbom,
            &[("app/app.cdx.json", "embedded-sbom/malformed.cdx.json"), ("app/bom.xml", "embedded-sbom/malformed.cdx.json")],
        );
        assert!(damaged.packages.is_empty());
        assert_eq!(damaged.gaps.len(), 2);
    }
}
