//! Pulls out of a registry in memory: what is fetched, what stays, what is refused.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read},
    sync::Mutex,
    time::Duration,
};

use super::*;
use crate::{
    advisory::{
        artifact::{Provenance, check::check, pack},
        build,
    },
    model::{digest::Algorithm, image::Descriptor},
    progress::Silent,
    registry::manifest as oci,
};

/// A repository with one artifact.
#[derive(Default)]
struct Memory {
    manifest: Vec<u8>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    asked: Mutex<Vec<Digest>>,
    /// What somebody else does while the first blob is fetched.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Memory {
    /// The artifact of a database, and what of its manifest is changed.
    fn of(folder: &Path, change: impl FnOnce(String) -> String) -> Self {
        let packed = pack(folder).unwrap();
        let manifest = change(String::from_utf8(packed.manifest.clone()).unwrap()).into_bytes();
        Self { manifest, blobs: packed.into_blobs(), ..Self::default() }
    }

    fn asked(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap()).len()
    }
}

impl ImageSource for Memory {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, registry::Error>> {
        async move { Ok(oci::raw(self.manifest.clone(), None, Algorithm::Sha256)) }.boxed()
    }

    fn fetch_manifest<'a>(&'a self, _: &'a Digest) -> BoxFuture<'a, Result<RawManifest, registry::Error>> {
        self.fetch_root()
    }

    fn fetch_tag<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, registry::Error>> {
        async move { Ok(None) }.boxed()
    }

    fn fetch_referrers<'a>(&'a self, _: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, registry::Error>> {
        async move { Ok(Some(Vec::new())) }.boxed()
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, _: u64) -> BoxFuture<'a, Result<Vec<u8>, registry::Error>> {
        async move { Ok(self.blobs[&descriptor.digest].clone()) }.boxed()
    }

    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, registry::Error>> {
        async move {
            self.asked.lock().unwrap().push(descriptor.digest.clone());
            if let Some(meanwhile) = self.meanwhile.lock().unwrap().take() {
                meanwhile();
            }
            match self.blobs.get(&descriptor.digest) {
                Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>),
                None => Err(registry::Error::Incomplete { place: "r".to_owned(), part: "blob".to_owned() }),
            }
        }
        .boxed()
    }

    fn holds_signatures(&self) -> bool {
        true
    }
}

fn feeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv")
}

fn built() -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    build(&feeds(), out.path(), "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
    out
}

/// A database of npm alone, whose newest record is of `modified`.
fn npm(modified: &str) -> tempfile::TempDir {
    let (from, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(from.path().join("npm")).unwrap();
    let mut archive = zip::ZipWriter::new(fs::File::create(from.path().join("npm/all.zip")).unwrap());
    archive.start_file("a.json", zip::write::SimpleFileOptions::default()).unwrap();
    let record = format!(
        r#"{{"id":"PLIM-1","modified":"{modified}","affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}]}}]}}]}}"#
    );
    std_io::Write::write_all(&mut archive, record.as_bytes()).unwrap();
    archive.finish().unwrap();
    build(from.path(), out.path(), "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
    out
}

fn terms<'a>(voucher: Option<&'a dyn Voucher>, replace_newer: bool) -> Terms<'a> {
    Terms { voucher, replace_newer, now: "2026-11-22T00:00:00Z".parse().unwrap(), end: Instant::now() + Duration::from_secs(60) }
}

async fn pull_on(memory: &Arc<Memory>, folder: &Path, choice: &Choice, terms: Terms<'_>) -> Result<Pulled, String> {
    let source = Arc::clone(memory) as Arc<dyn ImageSource>;
    let offer = Offer::fetch("r.example/db:v1", source, None).await.map_err(|error| error.to_string())?;
    let progress: SharedProgress = Arc::new(Silent);
    offer.pull(folder, choice, terms, &progress).await.map_err(|error| error.to_string())
}

async fn pull(memory: &Arc<Memory>, folder: &Path, choice: &Choice, replace_newer: bool) -> Result<Pulled, String> {
    pull_on(memory, folder, choice, terms(None, replace_newer)).await
}

/// Somebody who knows a few good artifacts.
struct Knows(Vec<Digest>);

impl Voucher for Knows {
    fn accepted<'a>(&'a self, stored: Vec<Stored>) -> BoxFuture<'a, Vec<Stored>> {
        async move { stored.into_iter().filter(|stored| self.0.contains(&stored.digest)).collect() }.boxed()
    }
}

/// Every file of the shards, and whether anything waits beside them.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.contains(".plim") || name.starts_with(".pull-"))
        .map(|name| (name.clone(), fs::read(folder.join(&name)).unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn a_fresh_folder_gets_everything_and_the_next_pull_nothing() {
    let (database, folder) = (built(), tempfile::tempdir().unwrap());
    let memory = Arc::new(Memory::of(database.path(), |text| text));
    let first = pull(&memory, folder.path(), &Choice::All, false).await.unwrap();
    assert_eq!(files(folder.path()), files(database.path()));
    assert_eq!((first.blobs, memory.asked()), (files(folder.path()).len(), first.blobs));
    let provenance = Provenance::read(folder.path()).unwrap();
    assert_eq!(provenance.shards.keys().cloned().collect::<Vec<_>>(), first.fetched);
    let checked = check(folder.path()).unwrap();
    assert!(checked.shards.iter().all(|shard| shard.held_by.len() == 1 && shard.pulled_from.is_some() && shard.damage.is_none()));
    let again = pull(&memory, folder.path(), &Choice::All, false).await.unwrap();
    assert_eq!((again.fetched.len(), again.unchanged, memory.asked()), (0, first.fetched, 0));
}

#[tokio::test]
async fn only_what_is_wanted_is_fetched() {
    let (database, folder) = (built(), tempfile::tempdir().unwrap());
    let memory = Arc::new(Memory::of(database.path(), |text| text));
    let wanted = Choice::Ecosystems(["Debian:12", "npm", "Debian:99"].map(str::to_owned).into());
    assert_eq!(pull(&memory, folder.path(), &wanted, false).await.unwrap().fetched, ["debian-12", "epss", "kev", "npm"]);
    let more = Choice::Named(["npm", "pypi"].map(str::to_owned).into());
    let pulled = pull(&memory, folder.path(), &more, false).await.unwrap();
    assert_eq!((pulled.fetched, pulled.unchanged), (vec!["pypi".to_owned()], vec!["npm".to_owned()]));
    let unknown = Choice::Named(["dwarf".to_owned()].into());
    assert!(pull(&memory, folder.path(), &unknown, false).await.is_err_and(|error| error.contains("no shard `dwarf`")));
}

#[tokio::test]
async fn what_is_newer_here_stays_unless_told_otherwise() {
    let (old, new) = (npm("2026-10-01T00:00:00Z"), npm("2026-11-01T00:00:00Z"));
    let memory = Arc::new(Memory::of(old.path(), |text| text));
    let before = files(new.path());
    let pulled = pull(&memory, new.path(), &Choice::All, false).await.unwrap();
    assert_eq!((pulled.newer, files(new.path())), (vec!["npm".to_owned()], before));
    assert!(Provenance::read(new.path()).unwrap().shards.is_empty(), "it did not come from there");
    assert_eq!(pull(&memory, new.path(), &Choice::All, true).await.unwrap().fetched, ["npm"]);
    assert_eq!(files(new.path()), files(old.path()));
}

#[tokio::test]
async fn what_is_not_as_the_manifest_says_leaves_the_folder_as_it_was() {
    let (old, new) = (npm("2026-10-01T00:00:00Z"), npm("2026-11-01T00:00:00Z"));
    let before = files(old.path());
    let good = Memory::of(new.path(), |text| text);
    let entry = Contents::parse("r", &oci::raw(good.manifest.clone(), None, Algorithm::Sha256)).unwrap().shards["npm"].clone();
    // Both have the same text, which is not fetched.
    let rows = entry.files.iter().find(|file| file.name == "npm.plimdb").unwrap();
    let (blob, content) = (rows.blob.clone(), rows.content.to_string());
    let refused = async |memory: Memory, reason: &str| {
        let memory = Arc::new(memory);
        let error = pull(&memory, old.path(), &Choice::All, false).await.expect_err(reason);
        assert!(error.contains(reason), "{reason}: {error}");
        assert_eq!(files(old.path()), before, "{reason}");
    };
    let mut missing = Memory::of(new.path(), |text| text);
    missing.blobs.remove(&blob);
    refused(missing, "incomplete").await;
    let mut other = Memory::of(new.path(), |text| text);
    other.blobs.insert(blob.clone(), zstd::encode_all(&b"PLIMSADB"[..], 3).unwrap());
    refused(other, "unpacks to 8 bytes").await;
    let mut bomb = Memory::of(new.path(), |text| text);
    bomb.blobs.insert(blob, zstd::encode_all(vec![0; 1 << 22].as_slice(), 3).unwrap());
    refused(bomb, "unpacks to more than").await;
    let digest = entry.digest.to_string();
    let wrong = Digest::sha256_of(b"wrong").to_string();
    refused(Memory::of(new.path(), |text| text.replace(&content, &wrong)), "its content is").await;
    refused(Memory::of(new.path(), |text| text.replace(&digest, &wrong)), "its header says").await;
    refused(Memory::of(new.path(), |text| text.replace("2026-11-01", "2026-11-11")), "its as-of date: the shard says `2026-11-01").await;
    refused(
        Memory::of(new.path(), |text| text.replace(r#"[\"npm\"]"#, r#"[\"PyPI\"]"#)),
        "its ecosystems: the shard says `npm`, the manifest `PyPI`",
    )
    .await;
    let format = format!(r#""{}.{}""#, entry.format.0, entry.format.1);
    refused(Memory::of(new.path(), |text| text.replace(&format, "\"99.0\"")), "has format 99, this program reads format").await;
    refused(Memory::of(new.path(), |text| text.replace("npm.plimdb\"", "npm.plimdb2\"")), "no name of a file").await;
}

#[tokio::test]
async fn two_shards_of_one_ecosystem_are_refused_before_anything_is_fetched() {
    let (database, folder) = (npm("2026-11-01T00:00:00Z"), npm("2026-10-01T00:00:00Z"));
    fs::rename(folder.path().join("npm.plimdb"), folder.path().join("node.plimdb")).unwrap();
    let memory = Arc::new(Memory::of(database.path(), |text| text));
    let error = pull(&memory, folder.path(), &Choice::All, false).await.unwrap_err();
    assert!(error.contains("shard node in") && error.contains("about `npm` as well as shard npm"), "{error}");
    assert_eq!(memory.asked(), 0);
}

#[tokio::test]
async fn a_pin_holds() {
    let database = npm("2026-11-01T00:00:00Z");
    let memory = Arc::new(Memory::of(database.path(), |text| text));
    let digest = Digest::sha256_of(&memory.manifest);
    let other = Digest::sha256_of(b"other");
    let fetch = async |pin: &Digest| Offer::fetch("r", Arc::clone(&memory) as Arc<dyn ImageSource>, Some(pin)).await;
    assert!(fetch(&digest).await.is_ok());
    assert!(matches!(fetch(&other).await, Err(Error::Pinned { .. })));
}

#[tokio::test]
async fn a_newer_shard_that_nobody_vouches_for_is_replaced_and_a_good_one_stays() {
    let (old, new) = (npm("2026-10-01T00:00:00Z"), npm("2026-11-01T00:00:00Z"));
    let (offered, later) = (Arc::new(Memory::of(old.path(), |text| text)), Arc::new(Memory::of(new.path(), |text| text)));
    let good = |memories: &[&Memory]| Knows(memories.iter().map(|memory| Digest::sha256_of(&memory.manifest)).collect());
    let folder = tempfile::tempdir().unwrap();
    pull(&later, folder.path(), &Choice::All, false).await.unwrap();
    let (both, one) = (good(&[&offered, &later]), good(&[&offered]));
    let pulled = pull_on(&offered, folder.path(), &Choice::All, terms(Some(&both), false)).await.unwrap();
    assert_eq!((pulled.newer, files(folder.path())), (vec!["npm".to_owned()], files(new.path())), "no rollback");
    // The signer of the newer one is nobody to this run.
    let pulled = pull_on(&offered, folder.path(), &Choice::All, terms(Some(&one), false)).await.unwrap();
    assert_eq!((pulled.fetched, files(folder.path())), (vec!["npm".to_owned()], files(old.path())));
    // One that was built here is newer, and that is all that there is to say for it.
    for file in files(new.path()).into_keys() {
        fs::copy(new.path().join(&file), folder.path().join(&file)).unwrap();
    }
    let pulled = pull_on(&offered, folder.path(), &Choice::All, terms(Some(&both), false)).await.unwrap();
    assert_eq!((pulled.fetched, files(folder.path())), (vec!["npm".to_owned()], files(old.path())));
    assert!(check(folder.path()).unwrap().shards.iter().all(|shard| shard.held_by == one.0));
}

/// Copies a database with its evidence.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != ".lock") {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[tokio::test]
async fn a_pull_that_waited_does_not_undo_what_came_in_the_meantime() {
    let (old, new) = (npm("2026-10-01T00:00:00Z"), npm("2026-11-01T00:00:00Z"));
    let (offered, later) = (Arc::new(Memory::of(old.path(), |text| text)), Arc::new(Memory::of(new.path(), |text| text)));
    let (folder, ready) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    pull(&later, ready.path(), &Choice::All, false).await.unwrap();
    let (from, to) = (ready.path().to_owned(), folder.path().to_owned());
    *offered.meanwhile.lock().unwrap() = Some(Box::new(move || copy(&from, &to)));
    let digests = [&offered, &later].map(|memory| Digest::sha256_of(&memory.manifest));
    let knows = Knows(digests.to_vec());
    let pulled = pull_on(&offered, folder.path(), &Choice::All, terms(Some(&knows), false)).await.unwrap();
    assert_eq!((pulled.newer, files(folder.path())), (vec!["npm".to_owned()], files(new.path())));
    let checked = check(folder.path()).unwrap();
    assert_eq!(checked.shards[0].held_by, [digests[1].clone()], "what vouches for it is still here");
    assert_eq!(checked.artifacts.len(), 1, "and nothing else is");
}

#[tokio::test]
async fn evidence_stays_while_a_shard_needs_it() {
    let (database, folder) = (built(), tempfile::tempdir().unwrap());
    let all = Arc::new(Memory::of(database.path(), |text| text));
    pull(&all, folder.path(), &Choice::All, false).await.unwrap();
    // Nothing says any more where the shards came from.
    fs::remove_file(folder.path().join("provenance.json")).unwrap();
    let one = npm("2026-11-21T00:00:00Z");
    let memory = Arc::new(Memory::of(one.path(), |text| text));
    assert_eq!(pull(&memory, folder.path(), &Choice::All, true).await.unwrap().fetched, ["npm"]);
    let checked = check(folder.path()).unwrap();
    assert!(checked.shards.iter().all(|shard| shard.held_by.len() == 1), "{checked:?}");
    assert_eq!(checked.artifacts.len(), 2);
}

#[tokio::test]
async fn a_pull_waits_for_another_writer_no_longer_than_it_may() {
    let (database, folder) = (npm("2026-11-01T00:00:00Z"), tempfile::tempdir().unwrap());
    let memory = Arc::new(Memory::of(database.path(), |text| text));
    let _writer = WriterLock::acquire(folder.path()).unwrap();
    let hurried = Terms { end: Instant::now(), ..terms(None, false) };
    let error = pull_on(&memory, folder.path(), &Choice::All, hurried).await.unwrap_err();
    assert!(error.contains("another process is writing"), "{error}");
}
