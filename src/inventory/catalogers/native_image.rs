//! `native-image`: the components of the SBOM that GraalVM puts into native images.
//! Specification: <https://www.graalvm.org/latest/security-guide/native-image/sbom/>.

use std::collections::BTreeMap;

use crate::{
    inventory::{Cataloger, Context, Found, attribution, executable},
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads what was noted of native images.
pub(super) struct NativeImage;

impl Cataloger for NativeImage {
    fn id(&self) -> &'static str {
        "native-image"
    }

    fn wants(&self, _path: &str) -> Want {
        Want::No
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let mut faults = Vec::new();
        for (file, facts) in executable::each(context) {
            let Ok(facts) = facts else { continue };
            let mut fault = |reason: String| faults.push((file.path.to_owned(), reason));
            facts.faults.into_iter().filter(|fault| fault.of == self.id()).for_each(|told| fault(told.reason));
            let mut nameless = 0_usize;
            for component in facts.components {
                // Only what Java brings: of its own parts, such as the runtime, the document gives no more than a name.
                if component.name.is_empty() || component.version.is_empty() {
                    nameless += 1;
                    continue;
                }
                if found.packages.len() >= context.limits().packages {
                    fault(format!("the image has more components than the limit of {}", context.limits().packages));
                    break;
                }
                let group = Some(component.group.as_str()).filter(|group| !group.is_empty());
                let purl = PackageUrl::new(PackageKind::Maven, group, &component.name, Some(&component.version), &BTreeMap::new());
                let name = group.map_or_else(|| component.name.clone(), |group| format!("{group}:{}", component.name));
                let mut package = Package::new(PackageKind::Maven, name, component.version, purl, self.id());
                package.locations = context.location(attribution::content_layer(&file), file.path);
                found.packages.push(package);
            }
            if nameless > 0 {
                fault(format!("its SBOM has {nameless} components without name or version"));
            }
        }
        executable::add_faults(context, self.id(), &faults, &mut found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn components_are_listed() {
        let found = fixture::catalog(&NativeImage, &[("app/server", "native-image/server")]);
        assert_eq!(fixture::purls(&found), ["pkg:maven/io.netty/netty-codec@4.1.94.Final", "pkg:maven/org.example/lib@1.0.0"]);
        assert!(found.gaps.is_empty());
    }

    #[test]
    fn other_programs_are_silent() {
        let found = fixture::catalog(&NativeImage, &[("bin/hello", "binary/hello")]);
        assert!(found.packages.is_empty() && found.gaps.is_empty());
    }

    #[test]
    fn documents_that_cannot_be_read_are_told() {
        let found = fixture::catalog(&NativeImage, &[("app/server", "native-image/malformed")]);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.iter().map(|gap| gap.reason.as_str()).collect::<Vec<_>>(), ["its SBOM points behind its end"]);
    }
}
