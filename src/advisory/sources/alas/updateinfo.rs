//! `updateinfo.xml`: the updates of an rpm repository (<https://rpm-software-management.github.io/createrepo_c/>; advisories.md A4). In: the unpacked file as
//! a stream; out: what was published, one value for each `update`. A file that ends early is an error: half a list reads like "fixed".

use std::io::BufRead;

use super::xml::{Attributes, Node, read_document};

/// The largest unpacked lists have some tens of megabytes.
const MAX_LIST: u64 = 512 << 20;
/// Updates of one repository; published lists have some thousands.
const MAX_UPDATES: usize = 200_000;
/// Packages of all updates of one repository.
const MAX_BUILDS: usize = 2_000_000;
/// Packages, or references, of one update.
const MAX_PARTS: usize = 200_000;
/// A field that is kept.
const MAX_FIELD: usize = 16 << 10;

/// One published update.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// `security`, `bugfix`, `enhancement` ...
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) issued: String,
    pub(super) updated: String,
    pub(super) severity: String,
    /// In file order, with repeats.
    pub(super) cves: Vec<String>,
    pub(super) builds: Vec<Build>,
}

/// One binary package that an update brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) name: String,
    pub(super) epoch: String,
    pub(super) version: String,
    pub(super) release: String,
    pub(super) arch: String,
}

/// Reads the whole list and hands each update over as soon as it is read.
///
/// # Errors
/// When it is no such list, ends early, or is larger than any. What was handed over by then is no list.
pub(super) fn read_updates(input: impl BufRead, each: &mut dyn FnMut(Update)) -> Result<(), String> {
    read_within(input, MAX_UPDATES, MAX_BUILDS, each)
}

fn read_within(input: impl BufRead, most_updates: usize, most_builds: usize, each: &mut dyn FnMut(Update)) -> Result<(), String> {
    let (mut update, mut updates, mut builds) = (Update::default(), 0, 0);
    read_document(input, MAX_LIST, &mut |path, node| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (path.as_slice(), node) {
            ([root], Node::Start(_)) if *root != "updates" => return Err(format!("the root is `{root:.40}`, not `updates`")),
            (["updates", "update"], Node::Start(attributes)) => {
                update = Update { kind: value(attributes, "type")?, ..Update::default() };
            }
            (["updates", "update"], Node::End) => {
                if updates == most_updates {
                    return Err("the list has too many updates".to_owned());
                }
                updates += 1;
                each(std::mem::take(&mut update));
            }
            (["updates", "update", field], Node::Text(text)) => {
                let field = match *field {
                    "id" => &mut update.id,
                    "title" => &mut update.title,
                    "severity" => &mut update.severity,
                    "description" => &mut update.description,
                    _ => return Ok(()),
                };
                push(field, text);
            }
            (["updates", "update", "issued"], Node::Start(attributes)) => update.issued = value(attributes, "date")?,
            (["updates", "update", "updated"], Node::Start(attributes)) => update.updated = value(attributes, "date")?,
            (["updates", "update", "references", "reference"], Node::Start(attributes))
                if attributes.get("type").is_some_and(|kind| kind.eq_ignore_ascii_case("cve")) =>
            {
                bounded(update.cves.len())?;
                update.cves.push(value(attributes, "id")?);
            }
            (["updates", "update", "pkglist", "collection", "package"], Node::Start(attributes)) => {
                bounded(update.builds.len())?;
                if builds == most_builds {
                    return Err("the list has too many packages".to_owned());
                }
                builds += 1;
                update.builds.push(Build {
                    name: value(attributes, "name")?,
                    epoch: value(attributes, "epoch")?,
                    version: value(attributes, "version")?,
                    release: value(attributes, "release")?,
                    arch: value(attributes, "arch")?,
                });
            }
            _ => {}
        }
        Ok(())
    })
}

fn bounded(count: usize) -> Result<(), String> {
    if count < MAX_PARTS { Ok(()) } else { Err("an update has too many parts".to_owned()) }
}

/// The value of an attribute, empty when there is none.
fn value(attributes: &Attributes, name: &str) -> Result<String, String> {
    let text = attributes.get(name).unwrap_or_default().trim();
    if text.len() > MAX_FIELD { Err(format!("the attribute `{name}` is too long")) } else { Ok(text.to_owned()) }
}

/// Text beyond the bound is cut: only titles and descriptions are that long.
fn push(field: &mut String, text: &str) {
    let room = MAX_FIELD.saturating_sub(field.len());
    let end = text.char_indices().map(|(at, ch)| at + ch.len_utf8()).take_while(|end| *end <= room).last().unwrap_or(0);
    field.push_str(text.get(..end).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_updates(input: impl BufRead) -> Result<Vec<Update>, String> {
        let mut updates = Vec::new();
        super::read_updates(input, &mut |update| updates.push(update))?;
        Ok(updates)
    }

    #[test]
    fn a_list_has_so_many_updates_and_packages() {
        let update =
            |builds: usize| format!("<update><pkglist><collection>{}</collection></pkglist></update>", "<package/>".repeat(builds));
        let text = format!("<updates>{}{}</updates>", update(2), update(1));
        let read = |updates, builds| read_within(text.as_bytes(), updates, builds, &mut drop);
        assert_eq!(read(2, 3), Ok(()));
        assert_eq!(read(1, 3).unwrap_err(), "the list has too many updates");
        assert_eq!(read(2, 2).unwrap_err(), "the list has too many packages");
    }

    #[test]
    fn updates_are_read_with_their_packages() {
        let text = r#"<?xml version="1.0"?><updates><update type="security"><id>ALAS2-2026-1</id><title>a &amp; b</title>
            <issued date="2026-01-02 03:04"/><updated date="2026-01-03 03:04:05"/><severity>Important</severity><description>long<x>y</x></description>
            <references><reference type="cve" id="CVE-2026-90001"/><reference type="other" id="x"/><reference type="CVE" id="CVE-2026-90001"/></references>
            <pkglist><collection short="s"><name>n</name><package name="keel" epoch="1" version="2" release="3" arch="noarch"><filename>f</filename></package>
            <package name="oar"/></collection></pkglist></update><update><id>second</id></update></updates>"#;
        let updates = read_updates(text.as_bytes()).unwrap();
        let first = &updates[0];
        assert_eq!((first.id.as_str(), first.title.as_str(), first.severity.as_str()), ("ALAS2-2026-1", "a & b", "Important"));
        assert_eq!((first.issued.as_str(), first.updated.as_str()), ("2026-01-02 03:04", "2026-01-03 03:04:05"));
        assert_eq!(first.cves, ["CVE-2026-90001", "CVE-2026-90001"]);
        assert_eq!(first.description, "long");
        let names: Vec<_> = first.builds.iter().map(|build| (build.name.as_str(), build.epoch.as_str())).collect();
        assert_eq!(names, [("keel", "1"), ("oar", "")]);
        assert_eq!((updates.len(), updates[1].id.as_str()), (2, "second"));
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for text in ["<updates><update><id>A</id></update>", "<feed/>", "", "{}", "<updates><update type='", "\u{0}"] {
            assert!(read_updates(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_strange(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
            at in 0_usize..400,
            byte in proptest::prelude::any::<u8>(),
        ) {
            let _ = read_updates(bytes.as_slice());
            let mut text = br#"<updates><update type="security"><id>A</id><severity>low</severity><issued date="2026-01-02 03:04"/><references>
                <reference type="cve" id="CVE-2026-90001"/></references><pkglist><collection><package name="keel" epoch="0" version="1" release="2"
                arch="noarch"><filename>f&amp;g</filename></package></collection></pkglist></update></updates>"#.to_vec();
            let place = at % text.len();
            text[place] = byte;
            let _ = read_updates(text.as_slice());
        }
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let mut field = String::new();
        push(&mut field, &"é".repeat(MAX_FIELD));
        push(&mut field, "x");
        assert_eq!(field.len(), MAX_FIELD);
    }
}
