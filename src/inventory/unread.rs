//! Package records of ecosystems that this version does not read yet. An image that holds some says so in a Gap, one per ecosystem.

use std::collections::BTreeMap;

use crate::{
    layers::{FileView, Mark, Want},
    model::coverage::{Gap, SourceId},
};

/// Build information that the Go linker leaves in every program (<https://pkg.go.dev/debug/buildinfo>).
const GO_PROGRAM: Mark = Mark { start: b"\x7fELF", inside: (b"\xff Go bui", b"ldinf:") };

/// What it takes to see that such a record is there.
pub(super) fn wants(path: &str) -> Want {
    if ecosystem(path).is_some() { Want::Presence } else { Want::PresenceIf(&GO_PROGRAM) }
}

/// Whether records of these ecosystems are looked for in a folder of this name.
pub(super) fn holds_records(folder: &str) -> bool {
    let (above, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    match name {
        "specifications" | "rpmmanifest" | "opkg" => true,
        "composer" => above == "vendor" || above.ends_with("/vendor"),
        "local" => above.ends_with("lib/pacman"),
        "pacman" => above.ends_with("var/lib"),
        _ => false,
    }
}

/// The ecosystem whose record this is, told from the path.
pub(super) fn ecosystem(path: &str) -> Option<&'static str> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = folder.rsplit('/').next().unwrap_or(folder);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    Some(match extension {
        "jar" | "war" | "ear" | "par" | "sar" | "nar" | "hpi" | "jpi" | "kar" => "Java archives",
        "gemspec" if folder.contains("specifications") => "Ruby gems",
        "json" if name.ends_with(".deps.json") => ".NET packages",
        "json" if name == "installed.json" && folder.ends_with("vendor/composer") => "PHP Composer packages",
        _ if name == "container-manifest-2" && parent == "rpmmanifest" => "Azure Linux package manifest",
        _ if name == "desc" && folder.contains("var/lib/pacman/local/") => "pacman packages",
        _ if name == "status" && (parent == "opkg") => "opkg packages",
        _ => return None,
    })
}

/// One Gap per ecosystem that is there and was not read.
pub(super) fn gaps(view: &FileView) -> Vec<Gap> {
    let mut seen: BTreeMap<&'static str, (usize, String)> = BTreeMap::new();
    for file in view.files() {
        let marked =
            file.versions.last().is_some_and(|last| last.content.is_none()) && matches!(super::wants(file.path), Want::PresenceIf(_));
        if let Some(ecosystem) = ecosystem(file.path).or(marked.then_some("Go programs")) {
            seen.entry(ecosystem).or_insert_with(|| (0, file.path.to_owned())).0 += 1;
        }
    }
    seen.into_iter()
        .map(|(ecosystem, (count, first))| {
            Gap::new(
                SourceId::Inventory,
                "unsupported-ecosystem",
                ecosystem,
                format!("{count} record files, such as `{first}`, are of a kind that this version does not read"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_by_path() {
        let check = |path: &str, expected: Option<&str>| assert_eq!(ecosystem(path), expected, "{path}");
        check("app/app.jar", Some("Java archives"));
        check("var/lib/gems/3.1.0/specifications/rack-2.2.8.gemspec", Some("Ruby gems"));
        check("app/rack.gemspec", None);
        check("app/My.App.deps.json", Some(".NET packages"));
        check("app/vendor/composer/installed.json", Some("PHP Composer packages"));
        check("app/installed.json", None);
        check("jar", None);
    }
}
