//! One row against one package. In: the row, the look-up, the module; out: affected, not affected or undecidable. Architectures (advisories.md R4),
//! binary packages, the feed's states (R6) and modules (R3) restrict where a row applies; then its ranges decide.

use crate::{
    advisory::{
        Error, almalinux,
        ecosystem::Ecosystem,
        matcher::{
            lookup::Lookup,
            module::{self, Module},
        },
        range::{Installed, Judgement, judge},
        shard::reader::{Row, Shard},
    },
    model::{
        advisory::Affected,
        package::{Package, PackageKind},
    },
};

/// The attribute of a row with its architectures, with blanks between them; without it the row is about all.
const ARCHITECTURES: &str = "arch";
/// The attribute of a row about a source package with its binary packages, with blanks between them; without it the row is about all.
pub(in crate::advisory) const BINARIES: &str = "binaries";
/// The attribute of a row with the feed's word for the state of the problem.
const STATE: &str = "state";

/// A package on its way through the rows.
pub(super) struct Subject<'a> {
    pub(super) ecosystem: &'static Ecosystem,
    pub(super) package: &'a Package,
    pub(super) lookup: &'a Lookup<'a>,
    pub(super) installed: Option<Installed<'a>>,
    pub(super) module: Module<'a>,
    /// Whether the repositories of the package are taken to be the default ones, because the image does not say.
    pub(super) is_default: bool,
}

/// The feed's word for the state of a row: Debian's `no-dsa`, `end-of-life` and the like.
pub(super) fn state(row: &Row) -> Option<&str> {
    row.affected.attributes.get(STATE).map(String::as_str).or(row.affected.urgency.as_deref())
}

/// Whether a row that is about this fix alone does not affect the package any more. Rows of modules are read in full, and so are all rows about
/// packages of which a row that does not hit says nothing.
pub(super) fn is_past(subject: &Subject<'_>, fix: &str) -> bool {
    if subject.lookup.meaningless.is_some() || subject.lookup.unplaced.is_some() {
        return false;
    }
    let is_modular = || subject.ecosystem.kind == PackageKind::Rpm && almalinux::is_modular(fix);
    subject.installed.as_ref().is_some_and(|installed| installed.has(fix)) && !is_modular()
}

/// What a row of `shard` says about the package; nothing where it is about others.
pub(super) fn judge_row(shard: &Shard, row: &Row, subject: &Subject<'_>) -> Result<Option<Judgement>, Error> {
    // "Undetermined" is no statement of the feed that something is wrong; "not affected" is one that nothing is.
    match state(row) {
        _ if !applies(&row.affected, subject.package) => return Ok(None),
        Some("undetermined") => return Ok(None),
        Some("not-affected") => return Ok(Some(Judgement::NotAffected)),
        _ => {}
    }
    let version: &str = subject.lookup.version.as_ref();
    if let Some(reason) = subject.lookup.meaningless {
        return Ok(Some(Judgement::Undecidable(reason.to_owned())));
    }
    let Some(installed) = &subject.installed else {
        let listed = row.affected.versions.iter().any(|listed| listed == version);
        return Ok(Some(if listed {
            Judgement::Affected { fixed: None, open_ended: false, because: "listed".to_owned() }
        } else {
            let version = version.chars().take(80).collect::<String>();
            Judgement::Undecidable(format!("`{version}` is no {} version", subject.ecosystem.scheme.name()))
        }));
    };
    let of_module = module::is_modular(subject.ecosystem, row);
    let judgement = match (subject.module, of_module) {
        (Module::None, true) | (Module::Stream(_), false) => return Ok(None),
        _ if row.is_past => Judgement::NotAffected,
        _ => judge(installed, &row.affected.ranges, &row.affected.versions),
    };
    if let Some(reason) = subject.lookup.unplaced.filter(|_| judgement == Judgement::NotAffected) {
        return Ok(Some(Judgement::Undecidable(reason.to_owned())));
    }
    // That another stream is fixed is no word about this one.
    if judgement == Judgement::NotAffected && of_module {
        return Ok(None);
    }
    if judgement == Judgement::NotAffected || (!of_module && subject.module != Module::Unclear) {
        return Ok(Some(judgement));
    }
    let Module::Stream(stream) = subject.module else {
        return Ok(Some(Judgement::Undecidable("the module stream of the package cannot be read".to_owned())));
    };
    Ok(match module::names_stream(&shard.record(row.record)?, stream) {
        Ok(true) => Some(judgement),
        Ok(false) => None,
        Err(reason) => Some(Judgement::Undecidable(reason)),
    })
}

/// Whether an entry is about this package at all, whatever its version.
fn applies(affected: &Affected, package: &Package) -> bool {
    let lists = |key: &str, wanted: &str| affected.attributes.get(key).is_none_or(|list| list.split(' ').any(|entry| entry == wanted));
    let of_arch = match package.arch.as_deref().map(rpm_arch) {
        None | Some("noarch") => true,
        Some(arch) => lists(ARCHITECTURES, arch) || lists(ARCHITECTURES, "noarch"),
    };
    of_arch && lists(BINARIES, &package.name)
}

/// Bills of materials write Go's names of architectures where rpm has its own.
pub(super) fn rpm_arch(arch: &str) -> &str {
    match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        arch => arch,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::package::{PackageKind, PackageUrl};

    #[test]
    fn r4_rows_are_about_their_architectures_and_binaries_alone() {
        for (attributes, arch, expected) in [
            (&[][..], Some("x86_64"), true),
            (&[("arch", "aarch64 x86_64")], Some("x86_64"), true),
            (&[("arch", "aarch64 x86_64")], Some("arm64"), true),
            (&[("arch", "aarch64")], Some("x86_64"), false),
            (&[("arch", "aarch64")], Some("noarch"), true),
            (&[("arch", "aarch64")], None, true),
            (&[("arch", "noarch")], Some("x86_64"), true),
            (&[("arch", "x86")], Some("x86_64"), false),
            (&[("binaries", "libmast1 mast")], Some("x86_64"), true),
            (&[("binaries", "mast-devel")], Some("x86_64"), false),
        ] {
            let purl = PackageUrl::new(PackageKind::Rpm, None, "mast", None, &BTreeMap::new());
            let package = Package {
                arch: arch.map(str::to_owned),
                ..Package::new(PackageKind::Rpm, "mast".to_owned(), "1-1".to_owned(), purl, "test")
            };
            let attributes: BTreeMap<String, String> =
                attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(
                applies(&Affected { attributes: attributes.clone(), ..Affected::default() }, &package),
                expected,
                "{attributes:?} {arch:?}"
            );
        }
    }
}
