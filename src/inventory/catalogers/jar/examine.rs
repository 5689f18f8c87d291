//! `JAR`: goes through a Java archive and the archives inside it, within the limits, and says which artifacts they are.

use std::collections::{BTreeMap, btree_map};

use crate::{
    inventory::{
        archive::{ArchiveFault, Budget, Entry, Zip},
        catalogers::jar::{
            extract::{Artifact, Extract, Told, size_of},
            identity::{Known, identify},
            manifest::Manifest,
            pom::{self, Pom},
        },
    },
    layers::{Body, Examiner, Go, Limits},
    model::digest::{Algorithm, Hasher},
};

/// Says what Java archives are.
pub(in crate::inventory) static JAR: Jars = Jars;

/// Names of Java archives.
const EXTENSIONS: &[&str] = &["jar", "war", "ear", "hpi", "jpi", "aar"];
/// The same, where other kinds of files have such names too: only zip archives are meant.
const AMBIGUOUS: &[&str] = &["par", "sar", "nar", "kar", "lpkg", "rar"];
const ZIP: &[u8] = b"PK\x03\x04";
/// How much is read of a manifest: its main section stands first, and signatures make the rest long.
const MANIFEST_BYTES: usize = 256 * 1024;
const PROPERTIES_BYTES: usize = 64 * 1024;
/// How many faults of one file are told one by one.
const FAULTS: usize = 100;
const POM_BYTES: usize = 2 * 1024 * 1024;

/// The extension, in lower case, if it is one of Java archives.
pub(super) fn extension_of(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    EXTENSIONS.iter().chain(AMBIGUOUS).find(|known| known.eq_ignore_ascii_case(extension)).copied()
}

/// The examiner of Java archives.
pub(in crate::inventory) struct Jars;

impl Examiner for Jars {
    fn id(&self) -> &'static str {
        "jar"
    }

    fn is_wanted(&self, path: &str, head: &[u8], size: u64) -> bool {
        let is_named = extension_of(path).is_some_and(|extension| !AMBIGUOUS.contains(&extension));
        size > 0 && (is_named || head.starts_with(ZIP))
    }

    fn examine(&self, path: &str, body: &Body<'_>, limits: &Limits) -> Vec<u8> {
        // The machine runs an archive whatever it is called; other zip archives are none of Java's.
        if extension_of(path).is_none() && !is_of_java(*body, limits) {
            return Vec::new();
        }
        let mut walk = Walk { limits, budget: Budget::new(limits), extract: Extract::default(), bytes: 64, is_full: false };
        walk.archive(*body, &Place { inside: String::new(), path, depth: 1 });
        walk.extract.to_bytes()
    }
}

/// Whether a zip archive holds what only Java archives do, or more than can be looked at, so that it may.
fn is_of_java(body: Body<'_>, limits: &Limits) -> bool {
    let zip = match Zip::open(body) {
        Ok(zip) => zip,
        Err(fault) => return matches!(fault, ArchiveFault::Limit(_)),
    };
    let mut is_found = false;
    let (_, faults) = zip.entries(&mut Budget::new(limits), |name| {
        is_found |= name == "META-INF/MANIFEST.MF" || name.ends_with(".class");
        false
    });
    is_found || faults.iter().any(|fault| matches!(fault, ArchiveFault::Limit(_)))
}

/// Where an archive stands.
struct Place<'a> {
    inside: String,
    /// The path of the file, or inside of the archive around it.
    path: &'a str,
    /// 1 for the file itself.
    depth: usize,
}

struct Walk<'l> {
    limits: &'l Limits,
    budget: Budget,
    extract: Extract,
    /// What the extract takes.
    bytes: usize,
    is_full: bool,
}

impl Walk<'_> {
    fn archive(&mut self, body: Body<'_>, place: &Place<'_>) {
        let zip = match Zip::open(body) {
            Ok(zip) => zip,
            Err(fault) => return self.tell(&place.inside, &fault),
        };
        let mut holds_classes = false;
        let (entries, faults) = zip.entries(&mut self.budget, |name| {
            holds_classes |= name.ends_with(".class");
            Part::of(name).is_some()
        });
        for fault in faults.iter().filter(|fault| !matches!(fault, ArchiveFault::Doubled(name) if Part::of(name) == Some(Part::Manifest))) {
            self.tell(&place.inside, fault);
        }
        let inner: Vec<&Entry> = entries.iter().filter(|entry| Part::of(entry.name()) == Some(Part::Archive)).collect();
        let manifest = self.manifest(&zip, &entries, place);
        let poms = self.poms(&zip, &entries, place);
        let known = Known { path: place.path, manifest, poms, holds_classes, holds_archives: !inner.is_empty(), is_inner: place.depth > 1 };
        let mut digest = None;
        for (artifact, is_own) in identify(&known) {
            if is_own && digest.is_none() {
                digest = Some(hash(&body));
            }
            self.add(Artifact { inside: place.inside.clone(), digest: digest.clone().filter(|_| is_own), ..artifact });
        }
        for entry in inner {
            if self.is_full || self.budget.is_spent() {
                return;
            }
            self.inner(&zip, entry, place);
        }
    }

    fn inner(&mut self, zip: &Zip<'_>, entry: &Entry, place: &Place<'_>) {
        if entry.size() == 0 {
            return;
        }
        let inside = format!("{}!/{}", place.inside, entry.name());
        if place.depth >= self.limits.archive_depth {
            let reason = format!("stands deeper than the limit of {} archives inside each other", self.limits.archive_depth);
            return self.tell(&inside, &ArchiveFault::Limit(reason));
        }
        // Those further in get less, so that all of them together take no more than one file may.
        let most_in_memory = self.limits.examined_memory_bytes.checked_shr(u32::try_from(place.depth).unwrap_or(u32::MAX)).unwrap_or(0);
        match zip.open_inner(entry, most_in_memory, &mut self.budget) {
            Ok(inner) => {
                let body = inner.body();
                let is_ambiguous = extension_of(entry.name()).is_none_or(|extension| AMBIGUOUS.contains(&extension));
                if !is_ambiguous || body.range(0, ZIP.len()).as_deref() == Some(ZIP) {
                    self.archive(body, &Place { inside, path: entry.name(), depth: place.depth + 1 });
                }
            }
            Err(fault) => self.tell(&place.inside, &fault),
        }
    }

    /// The first one: what merges archives without care puts its own first.
    fn manifest(&mut self, zip: &Zip<'_>, entries: &[Entry], place: &Place<'_>) -> Manifest {
        let Some(entry) = entries.iter().find(|entry| Part::of(entry.name()) == Some(Part::Manifest)) else {
            return Manifest::default();
        };
        match zip.read_start(entry, MANIFEST_BYTES, &mut self.budget) {
            Ok(bytes) => Manifest::parse(&bytes),
            Err(fault) => {
                self.tell(&place.inside, &fault);
                Manifest::default()
            }
        }
    }

    /// Those of every artifact that was merged into this archive.
    fn poms(&mut self, zip: &Zip<'_>, entries: &[Entry], place: &Place<'_>) -> Vec<Pom> {
        let mut poms: BTreeMap<&str, Pom> = BTreeMap::new();
        for (part, most) in [(Part::Properties, PROPERTIES_BYTES), (Part::Pom, POM_BYTES)] {
            for entry in entries.iter().filter(|entry| Part::of(entry.name()) == Some(part)) {
                let folder = entry.name().rsplit_once('/').map_or("", |(folder, _)| folder);
                match zip.read(entry, most, &mut self.budget) {
                    Ok(bytes) if part == Part::Properties => {
                        poms.insert(folder, pom::parse_properties(&bytes, folder));
                    }
                    Ok(bytes) => {
                        let described = pom::parse_xml(&bytes, folder);
                        match poms.entry(folder) {
                            btree_map::Entry::Occupied(mut known) => known.get_mut().complete(described),
                            btree_map::Entry::Vacant(place) => {
                                place.insert(described);
                            }
                        }
                    }
                    Err(fault) => self.tell(&place.inside, &fault),
                }
                if self.budget.is_spent() {
                    break;
                }
            }
        }
        // A folder of a template names nothing.
        poms.into_values().filter(|pom| pom.artifact.is_some()).collect()
    }

    fn add(&mut self, artifact: Artifact) {
        if self.has_room(size_of(&artifact)) {
            self.extract.artifacts.push(artifact);
        }
    }

    fn tell(&mut self, inside: &str, fault: &ArchiveFault) {
        let told = Told { inside: inside.to_owned(), is_limit: matches!(fault, ArchiveFault::Limit(_)), reason: fault.to_string() };
        // A budget that is spent says so of every entry behind.
        let is_known = |known: &Told| known.is_limit && told.is_limit && known.reason == told.reason;
        if self.extract.faults.iter().rev().take(5).any(is_known) {
            return;
        }
        match self.extract.faults.len() {
            0..FAULTS if self.has_room(size_of(&told)) => self.extract.faults.push(told),
            FAULTS => {
                let reason = format!("more than {FAULTS} things about it are wrong; the others are not listed");
                self.extract.faults.push(Told { inside: String::new(), is_limit: false, reason });
            }
            _ => {}
        }
    }

    /// Whether so many more bytes may be said; the first time that they may not, it says that instead.
    fn has_room(&mut self, size: usize) -> bool {
        const LAST_WORDS: usize = 512;
        if self.is_full {
            return false;
        }
        self.bytes += size;
        self.is_full = self.bytes + LAST_WORDS > self.limits.extract_bytes;
        if self.is_full {
            let reason = format!("what it holds takes more than the limit of {} bytes; the rest is not listed", self.limits.extract_bytes);
            self.extract.faults.push(Told { inside: String::new(), is_limit: true, reason });
        }
        !self.is_full
    }
}

fn hash(body: &Body<'_>) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    body.for_each_piece(256 * 1024, |_, piece| {
        hasher.update(piece);
        Go::On
    });
    hasher.finish().to_string()
}

/// What an entry of an archive may matter for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Manifest,
    Properties,
    Pom,
    Archive,
}

impl Part {
    fn of(name: &str) -> Option<Self> {
        if extension_of(name).is_some() {
            return Some(Self::Archive);
        }
        if name.eq_ignore_ascii_case("META-INF/MANIFEST.MF") {
            return Some(Self::Manifest);
        }
        let part = match name.rsplit('/').next()? {
            "pom.properties" => Self::Properties,
            "pom.xml" => Self::Pom,
            _ => return None,
        };
        // In a folder for the group and one for the artifact; not again for each version of Java.
        let (above, below) = name.split_once("META-INF/maven/")?;
        (below.split('/').count() == 3 && (above.is_empty() || above.ends_with('/')) && !above.contains("META-INF/")).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_by_their_names() {
        let check = |name: &str, expected: Option<Part>| assert_eq!(Part::of(name), expected, "{name}");
        check("META-INF/MANIFEST.MF", Some(Part::Manifest));
        check("meta-inf/manifest.mf", Some(Part::Manifest));
        check("META-INF/versions/9/META-INF/MANIFEST.MF", None);
        check("META-INF/maven/g/a/pom.properties", Some(Part::Properties));
        check("META-INF/maven/g/a/pom.xml", Some(Part::Pom));
        check("BOOT-INF/classes/META-INF/maven/g/a/pom.xml", Some(Part::Pom));
        check("META-INF/versions/9/META-INF/maven/g/a/pom.xml", None);
        check("META-INF/maven/pom.xml", None);
        check("archetype-resources/pom.xml", None);
        check("xMETA-INF/maven/g/a/pom.xml", None);
        check("WEB-INF/lib/x.JAR", Some(Part::Archive));
        check("jar", None);
        check(".jar", Some(Part::Archive));
    }
}
