//! `rust-binary`: the crates that programs built with `cargo auditable` list themselves.
//! Specification: <https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>.

use std::collections::BTreeMap;

use crate::{
    inventory::{Cataloger, Context, Found, attribution, executable},
    layers::Want,
    model::package::{Basis, Package, PackageKind, PackageUrl},
};

/// Reads what was noted of Rust programs.
pub(super) struct RustBinary;

impl Cataloger for RustBinary {
    fn id(&self) -> &'static str {
        "rust-binary"
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
            for listed in facts.crates {
                if listed.name.is_empty() || listed.version.is_empty() {
                    fault("its list of crates has one without name or version".to_owned());
                    continue;
                }
                if found.packages.len() >= context.limits().packages {
                    fault(format!("the image has more crates than the limit of {}", context.limits().packages));
                    break;
                }
                let purl = PackageUrl::new(PackageKind::Cargo, None, &listed.name, Some(&listed.version), &BTreeMap::new());
                let mut package = Package::new(PackageKind::Cargo, listed.name, listed.version, purl, self.id());
                package.locations = context.location(attribution::content_layer(&file), file.path);
                // What was built from a folder is no crate of that name that others know, whatever it is called.
                if listed.is_root && listed.source == "local" {
                    package.basis = Basis::Application;
                }
                found.packages.push(package);
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
    fn crates_are_listed() {
        for name in ["elf64", "elf32-be", "pe", "macho"] {
            let found = fixture::catalog(&RustBinary, &[("app/pay", &format!("rust-binary/{name}"))]);
            assert_eq!(fixture::purls(&found), ["pkg:cargo/pay@0.3.0", "pkg:cargo/smallvec@0.6.13"], "{name}");
            assert_eq!(found.packages.iter().map(|package| package.basis).collect::<Vec<_>>(), [Basis::Application, Basis::Installed]);
            assert!(found.gaps.is_empty());
        }
    }

    #[test]
    fn programs_without_a_list_are_silent() {
        let found = fixture::catalog(&RustBinary, &[("bin/hello", "binary/hello")]);
        assert!(found.packages.is_empty() && found.gaps.is_empty());
    }

    #[test]
    fn lists_that_cannot_be_read_are_told() {
        let check = |name: &str, expected: &str| {
            let found = fixture::catalog(&RustBinary, &[("app/pay", name)]);
            assert!(found.packages.is_empty(), "{name}");
            let reasons: Vec<_> = found.gaps.iter().map(|gap| gap.reason.as_str()).collect();
            assert!(matches!(reasons.as_slice(), [reason] if reason.contains(expected)), "{name}: {reasons:?}");
        };
        check("rust-binary/malformed", "is no such list");
        check("rust-binary/malformed-bomb", "more bytes than the limit of 8388608");
        check("rust-binary/malformed-zlib", "cannot be inflated");
    }
}
