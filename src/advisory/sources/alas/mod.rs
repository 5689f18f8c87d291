//! `alas`: Amazon Linux security advisories, as the updates of its rpm repositories (<https://alas.aws.amazon.com/>; advisories.md section 4). In: a
//! folder `amazon/<release>/<repository>/<arch>/`, where each has `updateinfo.xml.gz` or a whole `repodata/`; out: one record per advisory, one row
//! per binary package. The lists name fixed problems only, so that coverage says `unfixed: unknown`.

mod failed;
mod folder;
mod record;
pub(in crate::advisory) mod repomd;
mod updateinfo;
mod xml;

use std::{io::BufRead, path::Path};

use super::{AdvisorySource, Feed, Listing};
use crate::advisory::{Error, build::Gathered};

pub(in crate::advisory) use failed::FAILED;
pub(in crate::advisory) use folder::{FOLDER, MANIFEST, UPDATES, manifest_entry};

/// Reads the updates of Amazon Linux.
pub struct Alas;

impl AdvisorySource for Alas {
    fn id(&self) -> &'static str {
        "alas"
    }

    fn find(&self, from: &Path) -> Result<Listing, Error> {
        Ok(folder::find(from))
    }

    fn read(&self, feed: &Feed, into: &mut Gathered) -> Result<(), Error> {
        folder::read(feed, into)
    }
}

/// A repository of one release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::advisory) struct Repository {
    /// `2`, `2023`, `2018.03`.
    pub(in crate::advisory) release: String,
    /// `core`, or the name of one of the extras of Amazon Linux 2.
    pub(in crate::advisory) name: String,
    /// `x86_64`, `aarch64`.
    pub(in crate::advisory) arch: String,
}

/// Whether a list of updates can be read to its end.
///
/// # Errors
/// When it cannot.
pub(in crate::advisory) fn check_updates(input: impl BufRead) -> Result<(), String> {
    updateinfo::read_updates(input, &mut drop)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::{
        advisory::{Unfixed, ecosystem::ECOSYSTEMS},
        model::advisory::Event,
    };

    fn gathered(folder: &Path) -> Gathered {
        let ecosystem = ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == record::ECOSYSTEM).unwrap();
        let mut into = Gathered::new(ecosystem, "2026-11-22T00:00:00Z".parse().unwrap());
        let feeds = Alas.find(folder).unwrap().feeds;
        Alas.read(&feeds[0], &mut into).unwrap();
        into
    }

    fn rows(gathered: &Gathered) -> Vec<String> {
        let rows = gathered.advisories.iter().flat_map(|advisory| advisory.affected.iter().map(move |row| (advisory, row)));
        let line = |(advisory, row): (&crate::model::advisory::Advisory, &crate::model::advisory::Affected)| {
            let versions = row.ranges[0].events.iter().map(|event| match event {
                Event::Introduced(text) | Event::Fixed(text) => text.as_str(),
                _ => "?",
            });
            let versions = versions.collect::<Vec<_>>().join("..");
            format!("{} {} {} {versions}", row.ecosystem, advisory.id.0, row.name)
        };
        rows.map(line).collect()
    }

    fn fixtures() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/alas"), &folder.path().join(FOLDER));
        folder
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
            let place = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &place);
            } else {
                fs::copy(&path, place).unwrap();
            }
        }
    }

    #[test]
    fn repositories_become_records() {
        let folder = fixtures();
        let into = gathered(folder.path());
        assert_eq!(
            rows(&into),
            [
                "Amazon Linux:2 ALAS2-2026-201 keel 0..1.2.0-7.amzn2",
                "Amazon Linux:2 ALAS2-2026-201 php 0..5.4.16-46.amzn2.0.9",
                "Amazon Linux:2 ALASPHP8.0-2026-301 php 8.0..8.0.30-1.amzn2",
                "Amazon Linux:2023 ALAS2023-2026-101 keel 0..1.4.2-3.amzn2023.0.1",
                "Amazon Linux:2023 ALAS2023-2026-101 keel-doc 0..1.4.2-3.amzn2023.0.1",
                "Amazon Linux:2023 ALAS2023-2026-101 keel-libs 0..1.4.2-3.amzn2023.0.1",
                "Amazon Linux:2023 ALAS2023-2026-102 rigging 0..2:3.1-1.amzn2023",
            ]
        );
        assert_eq!(into.releases["Amazon Linux:2023"].unfixed, Some(Unfixed::Unknown));
        assert!(into.releases.values().all(|release| release.unreadable.is_empty() && release.broken.is_none()));
    }

    #[test]
    fn a_list_that_does_not_read_fails_its_release_alone() {
        let damages: [(&str, fn(Vec<u8>) -> Vec<u8>); 5] = [
            ("2/php8.0/x86_64/updateinfo.xml.gz", |bytes| bytes[..bytes.len() / 2].to_vec()),
            ("2/php8.0/x86_64/updateinfo.xml.gz", |_| b"<html>".to_vec()),
            ("2/core/x86_64/repodata/repomd.xml", |_| b"<repomd>".to_vec()),
            ("2/core/x86_64/repodata/updateinfo.xml.gz", |bytes| [bytes.as_slice(), b"x"].concat()),
            ("2/core/x86_64/repodata/repomd.xml", |bytes| String::from_utf8(bytes).unwrap().replace(".xml.gz", ".xml.zst").into_bytes()),
        ];
        for (name, damage) in damages {
            let folder = fixtures();
            let path = folder.path().join(FOLDER).join(name);
            fs::write(&path, damage(fs::read(&path).unwrap())).unwrap();
            let into = gathered(folder.path());
            assert!(into.releases["Amazon Linux:2"].broken.is_some(), "{name}");
            assert!(into.releases["Amazon Linux:2023"].broken.is_none() && rows(&into).iter().all(|row| row.contains(":2023 ")), "{name}");
        }
    }

    #[test]
    fn what_the_manifest_names_and_is_not_there_is_missed() {
        let folder = fixtures();
        fs::remove_dir_all(folder.path().join(FOLDER).join("2/php8.0/aarch64")).unwrap();
        let into = gathered(folder.path());
        assert_eq!(into.releases["Amazon Linux:2"].unreadable, ["php8.0/aarch64 (its updates could never be fetched)"]);
        assert!(into.releases["Amazon Linux:2023"].unreadable.is_empty());
    }

    #[test]
    fn a_folder_without_a_list_is_no_release_without_updates() {
        let of = |release: &str, damage: &dyn Fn(&Path)| {
            let folder = fixtures();
            damage(&folder.path().join(FOLDER));
            let into = gathered(folder.path());
            into.releases[&format!("Amazon Linux:{release}")].clone()
        };
        let whole = of("2", &|_| {});
        assert_eq!(
            whole.arches.map(|arches| arches.into_iter().collect::<Vec<_>>()),
            Some(vec!["aarch64".to_owned(), "x86_64".to_owned()])
        );
        let remove = |folder: &Path, name: &str| fs::remove_file(folder.join(name)).unwrap();
        let neither = of("2023", &|folder| remove(folder, "2023/core/aarch64/updateinfo.xml.gz"));
        assert!(
            neither.broken.unwrap().contains("amazon/2023/core/aarch64 cannot be read: there is neither a list of updates nor an index")
        );
        // An index that names no list is an answer, but for the repository that every release has.
        let index = |folder: &Path, name: &str| {
            fs::create_dir_all(folder.join(name).join("repodata")).unwrap();
            fs::write(folder.join(name).join("repodata/repomd.xml"), "<repomd></repomd>").unwrap();
        };
        let without = of("2", &|folder| {
            remove(folder, "2/php8.0/aarch64/updateinfo.xml.gz");
            index(folder, "2/php8.0/aarch64");
        });
        assert_eq!((without.broken, without.unreadable.len()), (None, 0));
        let core = of("2", &|folder| index(folder, "2/core/x86_64"));
        assert!(core.broken.unwrap().contains("names no list of updates"));
        // An extra that the manifest does not name any more had a list once; without a manifest nobody says so.
        let empty = |folder: &Path| fs::create_dir_all(folder.join("2/mast1/x86_64")).unwrap();
        assert_eq!(of("2", &empty).broken, None);
        let unnamed = of("2", &|folder| {
            empty(folder);
            remove(folder, MANIFEST);
        });
        assert!(unnamed.broken.unwrap().contains("amazon/2/mast1/x86_64"));
    }

    #[test]
    fn a_kept_copy_is_as_old_as_its_last_answer() {
        let folder = fixtures();
        let listed = "2/php8.0/x86_64 2026-08-01T00:00:00Z\n2/php8.0/aarch64 2026-08-03T00:00:00Z\n2023/gone/x86_64 2020-01-01T00:00:00Z\n";
        fs::write(folder.path().join(FOLDER).join(FAILED), listed).unwrap();
        let into = gathered(folder.path());
        assert_eq!(into.releases["Amazon Linux:2"].known_until, "2026-08-01T00:00:00Z".parse().ok());
        assert_eq!(into.releases["Amazon Linux:2023"].known_until, None, "there is no copy of it");
        // Without a time the newest record of the copy says of when it is at least.
        for (list, expected) in [(None, "2026-10-03T08:00:30Z"), (Some("<updates></updates>"), "1970-01-01T00:00:00Z")] {
            fs::write(folder.path().join(FOLDER).join(FAILED), "2023/core/x86_64\n").unwrap();
            let place = folder.path().join(FOLDER).join("2023/core/x86_64");
            if let Some(list) = list {
                fs::remove_file(place.join("updateinfo.xml.gz")).unwrap();
                fs::write(place.join("updateinfo.xml"), list).unwrap();
            }
            let known = gathered(folder.path()).releases["Amazon Linux:2023"].known_until;
            assert_eq!(known.map(|time| time.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_published_samples_read() {
        let Some(corpus) = std::env::var_os("PLIMSOLL_CORPUS").map(PathBuf::from) else {
            eprintln!("skipped: PLIMSOLL_CORPUS names no corpus");
            return;
        };
        let samples = corpus.join("corpus/advisories/native-samples/alas");
        let read = |name: &str| {
            let folder = tempfile::tempdir().unwrap();
            let release = if name.contains("2023") { "2023" } else { "2" };
            let place = folder.path().join(FOLDER).join(release).join("core/x86_64");
            fs::create_dir_all(&place).unwrap();
            fs::copy(samples.join(name), place.join(UPDATES)).unwrap();
            gathered(folder.path())
        };
        let one = read("updateinfo_1_item.xml.gz");
        assert_eq!((one.advisories[0].id.0.as_str(), one.advisories[0].upstream.len()), ("ALAS2-2018-939", 2));
        assert!(rows(&one).contains(&"Amazon Linux:2 ALAS2-2018-939 kernel 0..4.9.76-38.79.amzn2".to_owned()));
        let two = read("updateinfo_2_items.xml.gz");
        assert!(rows(&two).contains(&"Amazon Linux:2 ALAS2-2018-942 qemu-kvm 0..10:1.5.3-141.amzn2.5.3".to_owned()), "{:?}", rows(&two));
        assert!(!rows(&two).iter().any(|row| row.contains("debuginfo")));
        let newest = read("updateinfo_AL2023.xml.gz");
        assert_eq!(newest.advisories[0].aliases[0].0, "AL2023/ALAS-2023-001");
        assert!(read("updateinfo_invalid.xml.gz").releases["Amazon Linux:2"].broken.is_some());
        let index = fs::read(samples.join("repomd_valid.xml")).unwrap();
        assert_eq!(repomd::update_list(&index).unwrap().unwrap().href, "repodata/updateinfo.xml.gz");
    }
}
