//! `go-binary`: the modules that Go programs were built from, by the build information in them, and the standard library of their toolchain.
//! Specification: <https://pkg.go.dev/runtime/debug#BuildInfo>.

use std::collections::BTreeMap;

use crate::{
    inventory::{
        Cataloger, Context, Found, attribution,
        executable::{self, GoBuild, Module, Modules},
    },
    layers::Want,
    model::package::{Basis, Package, PackageKind, PackageUrl},
};

/// Reads what was noted of Go programs.
pub(super) struct GoBinary;

impl Cataloger for GoBinary {
    fn id(&self) -> &'static str {
        "go-binary"
    }

    fn wants(&self, _path: &str) -> Want {
        Want::No
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let mut faults = Vec::new();
        for (file, facts) in executable::each(context) {
            // What cannot be read at all is told by the cataloger of executables as such.
            let Ok(facts) = facts else { continue };
            let mut fault = |reason: String| faults.push((file.path.to_owned(), reason));
            facts.faults.into_iter().filter(|fault| fault.of == self.id()).for_each(|told| fault(told.reason));
            let Some(build) = facts.go else { continue };
            let (mut packages, reason) = packages(&build);
            if let Some(reason) = reason {
                fault(reason);
            }
            for package in &mut packages {
                package.locations = context.location(attribution::content_layer(&file), file.path);
            }
            let room = context.limits().packages.saturating_sub(found.packages.len());
            if packages.len() > room {
                fault(format!("the image has more Go modules than the limit of {}", context.limits().packages));
                packages.truncate(room);
            }
            found.packages.append(&mut packages);
        }
        executable::add_faults(context, self.id(), &faults, &mut found);
        found
    }
}

fn package(name: &str, version: &str, basis: Basis) -> Package {
    let (namespace, short) = name.rsplit_once('/').map_or((None, name), |(namespace, short)| (Some(namespace), short));
    // A version that is not known is no part of the identity.
    let known = Some(version).filter(|_| basis != Basis::Application);
    let purl = PackageUrl::new(PackageKind::Golang, namespace, short, known, &BTreeMap::new());
    let mut package = Package::new(PackageKind::Golang, name.to_owned(), version.to_owned(), purl, "go-binary");
    package.basis = basis;
    package
}

/// Everything that a program was built from, and why that may not be all.
fn packages(build: &GoBuild) -> (Vec<Package>, Option<String>) {
    let modules = Modules::parse(&build.modules);
    let (mut packages, mut reasons) = (Vec::new(), Vec::new());
    match standard_library(&build.toolchain) {
        Some((version, basis)) => packages.push(package("stdlib", &version, basis)),
        None => reasons.push(format!("was built by `{}`, which is no release of Go", build.toolchain.chars().take(80).collect::<String>())),
    }
    packages.extend(main(&modules, build.lone_version.as_deref()));
    packages.extend(modules.dependencies.iter().map(dependency).filter(|package| !package.name.is_empty()));
    if modules.main.is_none() && modules.dependencies.is_empty() && !modules.is_of_toolchain() {
        reasons.push("was built without modules, so that it does not say what it was built from".to_owned());
    }
    (packages, Some(reasons.join("; ")).filter(|reasons| !reasons.is_empty()))
}

/// The version of the standard library, as advisories write it, of a toolchain such as `go1.22.1`.
fn standard_library(toolchain: &str) -> Option<(String, Basis)> {
    let (text, basis) = match toolchain.strip_prefix("devel ") {
        Some(text) => (text, Basis::Guessed),
        None => (toolchain, Basis::Installed),
    };
    let text = text.strip_prefix("go")?;
    let text = text.split([' ', '-', '+']).next()?;
    // Before Go 1.21 the first release of a series had two numbers.
    let end = text.find(|char: char| char != '.' && !char.is_ascii_digit()).unwrap_or(text.len());
    let (numbers, stage) = (text.get(..end)?, text.get(end..)?);
    let count = numbers.split('.').count();
    if numbers.split('.').any(str::is_empty) || !(2..=3).contains(&count) {
        return None;
    }
    let patch = if count == 2 { ".0" } else { "" };
    let stage = match stage.find(|char: char| char.is_ascii_digit()) {
        _ if stage.is_empty() => String::new(),
        Some(at) => format!("-{}.{}", stage.get(..at)?, stage.get(at..)?),
        None => return None,
    };
    Some((format!("{numbers}{patch}{stage}"), basis))
}

/// The module of the program itself.
fn main(modules: &Modules<'_>, lone_version: Option<&str>) -> Option<Package> {
    if modules.is_of_toolchain() {
        return None;
    }
    let guess = || {
        let lone = || lone_version.map(|version| format!("v{}", version.trim_start_matches('v')));
        modules.linked_version().or_else(|| modules.pseudo_version()).or_else(lone)
    };
    match modules.main {
        Some(main) if main.path.is_empty() => None,
        Some(Module { replacement: Some((path, version)), .. }) if !version.is_empty() => Some(package(path, version, Basis::Installed)),
        Some(main) => Some(match (main.known_version(), guess()) {
            (Some(version), _) => package(main.path, version, Basis::Installed),
            (None, Some(version)) => package(main.path, &version, Basis::Guessed),
            (None, None) => package(main.path, "(devel)", Basis::Application),
        }),
        // Built without modules: the path is that of the main package, which by convention stands in `cmd` of its module.
        None => {
            let path = modules.path.split("/cmd/").next().filter(|path| path.contains('.') && path.contains('/'))?;
            Some(package(path, &guess()?, Basis::Guessed))
        }
    }
}

fn dependency(module: &Module<'_>) -> Package {
    match module.replacement {
        // A folder took the module's place: what is in it may be anything, most likely a changed copy.
        Some((_, "")) => package(module.path, module.version, Basis::Guessed),
        Some((path, version)) => package(path, version, Basis::Installed),
        None => package(module.path, module.version, Basis::Installed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    fn told(found: &Found) -> Vec<String> {
        found.packages.iter().map(|package| format!("{} {}", package.purl, package.basis.name())).collect()
    }

    #[test]
    fn modules_are_listed() {
        let expected = [
            "pkg:golang/example.com/bare@v1.1.0 guessed",
            "pkg:golang/example.com/moved/v2@v2.0.1 installed",
            "pkg:golang/example.com/plain@v1.0.0 installed",
            "pkg:golang/example.com/tool@v1.4.2 guessed",
            "pkg:golang/stdlib@1.22.1 installed",
        ];
        for name in ["elf64", "elf64-be", "elf32", "elf64-no-sections", "elf64-pointers", "pe", "macho", "macho-fat"] {
            let found = fixture::catalog(&GoBinary, &[("app/tool", &format!("go-binary/{name}"))]);
            assert_eq!(told(&found), expected, "{name}");
            assert!(found.gaps.is_empty(), "{name}: {:?}", found.gaps);
        }
    }

    #[test]
    fn other_programs_are_silent() {
        let found = fixture::catalog(&GoBinary, &[("bin/hello", "binary/hello"), ("bin/busybox", "binary/busybox")]);
        assert!(found.packages.is_empty() && found.gaps.is_empty());
    }

    #[test]
    fn lies_are_told() {
        let check = |name: &str, expected: &str| {
            let found = fixture::catalog(&GoBinary, &[("app/tool", name)]);
            assert!(found.packages.is_empty(), "{name}");
            assert_eq!(found.gaps.iter().map(|gap| gap.reason.as_str()).collect::<Vec<_>>(), [expected], "{name}");
        };
        check("go-binary/malformed-length", "its Go build information points behind its end");
        check("go-binary/malformed-pointer", "its Go build information points behind its end");
        check("go-binary/malformed-section", "its section for Go build information holds none");
    }

    #[test]
    fn toolchains_have_versions() {
        let check = |toolchain: &str, expected: Option<(&str, Basis)>| {
            let version = standard_library(toolchain);
            assert_eq!(version.as_ref().map(|(version, basis)| (version.as_str(), *basis)), expected, "{toolchain}");
        };
        check("go1.22.1", Some(("1.22.1", Basis::Installed)));
        check("go1.20", Some(("1.20.0", Basis::Installed)));
        check("go1.22rc1", Some(("1.22.0-rc.1", Basis::Installed)));
        check("go1.21.3 X:boringcrypto", Some(("1.21.3", Basis::Installed)));
        check("go1.20.5-google", Some(("1.20.5", Basis::Installed)));
        check("devel go1.23-abcdef0 Tue Jan 2", Some(("1.23.0", Basis::Guessed)));
        check("devel +abcdef", None);
        check("go1", None);
        check("go1..2", None);
    }

    #[test]
    fn main_modules_have_the_best_version_there_is() {
        let check = |modules: &str, lone: Option<&str>, expected: Option<(&str, &str, Basis)>| {
            let package = main(&Modules::parse(modules), lone);
            assert_eq!(
                package.as_ref().map(|package| (package.name.as_str(), package.version.as_str(), package.basis)),
                expected,
                "{modules}"
            );
        };
        check("mod\ta.b/c\tv1.2.3\n", None, Some(("a.b/c", "v1.2.3", Basis::Installed)));
        check("mod\ta.b/c\t(devel)\n", None, Some(("a.b/c", "(devel)", Basis::Application)));
        check("mod\ta.b/c\t(devel)\n", Some("2.0.0"), Some(("a.b/c", "v2.0.0", Basis::Guessed)));
        check("path\ta.b/c/cmd/d\n", Some("v2.8.2+ds1"), Some(("a.b/c", "v2.8.2+ds1", Basis::Guessed)));
        check("path\ta.b/c/cmd/d\n", None, None);
        check("path\tcommand-line-arguments\n", Some("1.0.0"), None);
        check("path\tcmd/go\n", Some("1.0.0"), None);
    }

    #[test]
    fn programs_without_modules_are_told() {
        let build = |modules: &str| GoBuild { toolchain: "go1.22.1".to_owned(), modules: modules.to_owned(), lone_version: None };
        assert!(packages(&build("")).1.is_some_and(|reason| reason.contains("without modules")));
        assert!(packages(&build("path\tcmd/go\n")).1.is_none());
        assert!(packages(&build("path\ta.b/c\nmod\ta.b/c\t(devel)\n")).1.is_none());
    }
}
