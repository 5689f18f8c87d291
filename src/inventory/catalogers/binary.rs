//! `binary`: programs and libraries that stand in the image without a package, told by their names and by texts that each release writes into them.
//! What an OS package owns is left to that package.

use std::collections::BTreeMap;

use crate::{
    inventory::{
        Cataloger, Context, Found, attribution,
        executable::{self, CLASSIFIERS, Modules},
    },
    layers::Want,
    model::{
        coverage::{Gap, SourceId},
        package::{Basis, Package, PackageKind, PackageUrl},
    },
};

/// Reads what was noted of executables.
pub(super) struct Binary;

impl Cataloger for Binary {
    fn id(&self) -> &'static str {
        "binary"
    }

    fn wants(&self, _path: &str) -> Want {
        Want::No
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let mut faults = Vec::new();
        for (file, facts) in executable::each(context) {
            let facts = match facts {
                Ok(facts) => facts,
                Err(error) => {
                    found.unreadable(file.path, &error);
                    continue;
                }
            };
            if let Some(packer) = facts.packed {
                found.gaps.push(
                    Gap::new(
                        SourceId::Inventory,
                        "record-unreadable",
                        file.path,
                        format!("is packed with {packer}, which hides what it was built from"),
                    )
                    .with_hint("ship the program as it was built: layers are compressed anyway"),
                );
            }
            faults.extend(facts.faults.into_iter().filter(|fault| fault.of == self.id()).map(|fault| (file.path.to_owned(), fault.reason)));
            let mut add = |namespace: Option<&str>, name: &str, version: &str| {
                let purl = PackageUrl::new(PackageKind::Generic, namespace, name, Some(version), &BTreeMap::new());
                let mut package = Package::new(PackageKind::Generic, name.to_owned(), version.to_owned(), purl, self.id());
                package.basis = Basis::Guessed;
                package.locations = context.location(attribution::content_layer(&file), file.path);
                found.packages.push(package);
            };
            for program in &facts.programs {
                if let Some(classifier) = CLASSIFIERS.iter().find(|classifier| classifier.name == program.name) {
                    add(classifier.namespace, classifier.name, &program.version);
                }
            }
            if let Some(go) = facts.go.filter(|go| Modules::parse(&go.modules).path == "cmd/go")
                && let Some(version) = go.toolchain.strip_prefix("go").and_then(|version| version.split(' ').next())
            {
                add(None, "go", version);
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
    fn programs_are_found() {
        let found = fixture::catalog(&Binary, &[("bin/[", "binary/busybox"), ("opt/python3.11", "binary/python3.11")]);
        assert_eq!(fixture::purls(&found), ["pkg:generic/busybox@1.36.1", "pkg:generic/python@3.11.2"]);
        assert!(found.gaps.is_empty() && found.packages.iter().all(|package| package.basis == Basis::Guessed));
    }

    #[test]
    fn other_names_and_ordinary_programs_are_silent() {
        let found = fixture::catalog(&Binary, &[("bin/something", "binary/busybox"), ("bin/hello", "binary/hello")]);
        assert!(found.packages.is_empty() && found.gaps.is_empty(), "{:?}", found.gaps);
    }

    #[test]
    fn packed_and_damaged_programs_are_told() {
        let found = fixture::catalog(&Binary, &[("bin/packed", "binary/packed"), ("bin/cut", "binary/malformed")]);
        let reasons: Vec<_> = found.gaps.iter().map(|gap| (gap.subject.as_str(), gap.reason.as_str(), gap.hint.is_some())).collect();
        assert_eq!(
            reasons,
            [
                ("bin/packed", "is packed with UPX, which hides what it was built from", true),
                ("bin/cut", "its table of sections of 320 bytes at 512 ends behind the file's 256 bytes", false)
            ]
        );
    }
}
