//! Databases and lock files of other scanners' tests, each at its place in an image of one layer: those with an expectation give exactly that, the
//! others give packages or a Gap. Needs the folder in `PLIMSOLL_CORPUS`.

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        env, fs,
        path::{Path, PathBuf},
        process::Command,
    };

    use serde_json::Value;

    use crate::inventory::{catalog, fixture};

    /// Where a file of this kind (as the corpus's index calls it) is put, by the end of its path; `None` for what this version does not read.
    /// A row whose place ends with a slash keeps the file's own name.
    const PLACES: &[(&str, &str, &str)] = &[
        // kind, end of the path in the corpus ("" for any), place in the image
        ("apk", "", "lib/apk/db/installed"),
        ("dpkg", "status.d/", "var/lib/dpkg/status.d/"),
        ("dpkg", "", "var/lib/dpkg/status"),
        ("rpm-bdb", "", "var/lib/rpm/Packages"),
        ("rpm-ndb", "", "usr/lib/sysimage/rpm/Packages.db"),
        ("rpm-sqlite", "", "var/lib/rpm/rpmdb.sqlite"),
        ("rpm-sqlite-empty", "", "var/lib/rpm/rpmdb.sqlite"),
        ("rpm-manifest", "", "var/lib/rpmmanifest/container-manifest-2"),
        ("pacman", "", "var/lib/pacman/local/package-1-1/desc"),
        ("opkg", "", "usr/lib/opkg/status"),
        ("portage", "", "var/db/pkg/category/package-1/CONTENTS"),
        // Headers are not databases, but must not make a reader of databases fall over.
        ("rpm-header", "", "var/lib/rpm/Packages"),
        ("rpm-header-blob", "", "usr/lib/sysimage/rpm/Packages.db"),
    ];

    /// Files that are empty of packages as such; that they give none is no loss, but the inventory still says that it found nothing.
    fn place(kind: &str, path: &str) -> Option<String> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, _, place) = PLACES.iter().find(|(of, part, _)| *of == kind && (part.is_empty() || path.contains(part)))?;
        Some(if place.ends_with('/') { format!("{place}{name}") } else { (*place).to_owned() })
    }

    /// What the corpus expects, as `name version arch`; records that no installer leaves are not counted: without a version, or removed.
    fn expected(entry: &Value) -> Option<BTreeSet<String>> {
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        Some(
            entry["expected"]
                .as_array()?
                .iter()
                .filter(|record| !text(record, "version").is_empty() && !text(record, "name").is_empty())
                .filter(|record| !matches!(text(record, "status").split(' ').nth(2), Some("config-files" | "not-installed")))
                .map(|record| {
                    let epoch = Some(record["epoch"].as_str().map(str::to_owned).unwrap_or_else(|| record["epoch"].to_string()))
                        .filter(|epoch| !matches!(epoch.as_str(), "0" | "null" | ""))
                        .map(|epoch| format!("{epoch}:"))
                        .unwrap_or_default();
                    let release = Some(text(record, "release")).filter(|release| !release.is_empty()).map(|release| format!("-{release}"));
                    format!(
                        "{} {epoch}{}{} {}",
                        text(record, "name"),
                        text(record, "version"),
                        release.unwrap_or_default(),
                        text(record, "arch")
                    )
                })
                .collect(),
        )
    }

    /// The unpacked corpus; `None` when there is none.
    fn unpack(into: &Path) -> Option<PathBuf> {
        let archive =
            env::var_os("PLIMSOLL_CORPUS").map(|root| PathBuf::from(root).join("corpus/pkgdb.tar.gz")).filter(|file| file.is_file())?;
        assert!(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(into).status().expect("tar").success());
        Some(into.join("pkgdb"))
    }

    #[test]
    fn every_database_gives_what_is_expected_or_says_why_not() {
        let folder = tempfile::tempdir().expect("folder");
        let Some(corpus) = unpack(folder.path()) else {
            eprintln!("skipped: PLIMSOLL_CORPUS is not set");
            return;
        };
        let index: Value = serde_json::from_slice(&fs::read(corpus.join("index.json")).expect("index")).expect("JSON");
        let (mut exact, mut other, mut unplaced, mut wrong) = (0, 0, BTreeSet::new(), Vec::new());
        for entry in index["entries"].as_array().expect("entries") {
            let (path, kind) = (entry["path"].as_str().expect("path"), entry["kind"].as_str().expect("kind"));
            let Some(place) = place(kind, path) else {
                unplaced.insert(kind);
                continue;
            };
            let (view, layers) = fixture::image(&[&[(&place, fs::read(corpus.join(path)).expect(path))]]);
            let inventory = catalog(&view, &layers);
            let found: BTreeSet<String> = inventory
                .packages
                .iter()
                .map(|package| format!("{} {} {}", package.name, package.version, package.arch.as_deref().unwrap_or_default()))
                .collect();
            match expected(entry) {
                Some(expected) if expected == found => exact += 1,
                Some(expected) => wrong.push(format!(
                    "{path}: missing {:?}, more {:?}, gaps {:?}",
                    expected.difference(&found).collect::<Vec<_>>(),
                    found.difference(&expected).collect::<Vec<_>>(),
                    inventory.gaps
                )),
                None if found.is_empty() && inventory.gaps.is_empty() => wrong.push(format!("{path}: neither packages nor a gap")),
                None => other += 1,
            }
        }
        eprintln!("{exact} files give exactly what is expected, {other} give packages or a gap, not placed: {unplaced:?}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(exact >= 36, "{exact}");
    }
}
