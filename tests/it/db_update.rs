//! `plimsoll db update` from a local server with the public layout: whatever happens on the way, the database is the old one or the new one, and never
//! broken.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    feed_server::{Fault, FeedServer, Record},
    program::{Run, plimsoll, testdata},
};

/// A server, a database, and a bill of materials to try it on.
pub(crate) struct World {
    pub(crate) server: FeedServer,
    folder: tempfile::TempDir,
}

pub(crate) const FIRST: &str = "2026-01-01T00:00:00Z";
pub(crate) const SECOND: &str = "2026-01-02T00:00:00Z";

pub(crate) fn records() -> Vec<Record> {
    vec![
        Record::new("PLIM-2026-1001", "left-anchor", "1.4.2", FIRST),
        Record::new("PLIM-2026-1002", "right-anchor", "2.0.0", FIRST),
        Record::new("PLIM-2026-1003", "bilge", "0.9.0", FIRST),
    ]
}

impl World {
    pub(crate) fn new() -> Self {
        let server = FeedServer::start();
        server.put("/ecosystems.txt", "PyPI\nnpm\n");
        server.publish("npm", &records());
        server.publish("PyPI", &[Record::new("PLIM-2026-1101", "keelson", "0.9.1", FIRST)]);
        let folder = tempfile::tempdir().expect("folder");
        let component = |name: &str| json!({ "type": "library", "name": name, "version": "1.0.0", "purl": format!("pkg:npm/{name}@1.0.0"), "bom-ref": name });
        let names = ["left-anchor", "right-anchor", "fresh-anchor", "bilge"];
        let document = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": names.map(component) });
        fs::write(folder.path().join("bom.cdx.json"), document.to_string()).expect("document");
        Self { server, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn database(&self) -> String {
        self.path("db").display().to_string()
    }

    pub(crate) fn args(&self, more: &[&str]) -> Vec<String> {
        let fixed = ["db", "update", "--from", &self.server.url, "--db", &self.database()].map(str::to_owned);
        fixed.into_iter().chain(more.iter().map(|arg| (*arg).to_owned())).collect()
    }

    #[track_caller]
    pub(crate) fn update(&self, code: i32) -> Run {
        plimsoll(&self.args(&[])).expect(code)
    }

    /// Ids that the database finds in the bill of materials; fails the test if it is broken.
    #[track_caller]
    pub(crate) fn found(&self) -> BTreeSet<String> {
        plimsoll(&["db", "status", "--db", &self.database()]).expect(0).says("npm");
        let document = format!("sbom:{}", self.path("bom.cdx.json").display());
        let run = plimsoll(&["scan", &document, "--db", &self.database(), "--output", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no report: {}", run.stderr));
        let findings = report["findings"].as_array().expect("findings").iter().filter(|finding| finding["kind"] == "vulnerability");
        findings.map(|finding| finding["id"].as_str().expect("id").to_owned()).collect()
    }

    /// Publishes one changed and one new record.
    pub(crate) fn publish_second(&self) {
        let mut all = records();
        all[1] = Record::new("PLIM-2026-1002", "right-anchor", "0.5.0", SECOND);
        all.push(Record::new("PLIM-2026-1004", "fresh-anchor", "1.1.0", SECOND));
        self.server.publish("npm", &all);
    }

    /// Paths that were asked for since the last look, with what was answered.
    fn asked(&self, below: &str) -> BTreeSet<(String, u16)> {
        self.server.asked().into_iter().filter(|asked| asked.path.starts_with(below)).map(|asked| (asked.path, asked.status)).collect()
    }

    /// Files below the database, without the state and the lock.
    pub(crate) fn shards(&self) -> BTreeSet<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.path("db")).expect("database").map(|entry| entry.expect("entry").path());
        let files = entries.filter(|path| path.is_file() && path.file_name().is_some_and(|name| name != ".lock"));
        files.map(|path| (path.file_name().expect("name").to_string_lossy().into_owned(), fs::read(&path).expect("shard"))).collect()
    }
}

fn ids(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|id| (*id).to_owned()).collect()
}

pub(crate) fn old() -> BTreeSet<String> {
    ids(&["PLIM-2026-1001", "PLIM-2026-1002"])
}

pub(crate) fn new() -> BTreeSet<String> {
    ids(&["PLIM-2026-1001", "PLIM-2026-1004"])
}

fn paths(list: &[(&str, u16)]) -> BTreeSet<(String, u16)> {
    list.iter().map(|(path, status)| ((*path).to_owned(), *status)).collect()
}

#[test]
fn first_everything_then_what_changed_then_nothing() {
    let world = World::new();
    world.update(0).says("feed: npm: fetched").says("pypi");
    assert_eq!(world.found(), old());
    world.server.asked();

    world.update(0).says("2 of them unchanged");
    assert_eq!(world.asked("/npm/"), paths(&[("/npm/modified_id.csv", 304)]));

    world.publish_second();
    let before = world.shards();
    world.update(0).says("feed: npm: 2 records fetched");
    let expected = [("/npm/modified_id.csv", 200), ("/npm/PLIM-2026-1002.json", 200), ("/npm/PLIM-2026-1004.json", 200)];
    assert_eq!(world.asked("/npm/"), paths(&expected), "single records, and not the archive");
    assert_eq!(world.found(), new());
    let untouched =
        |files: &BTreeSet<(String, Vec<u8>)>| files.iter().filter(|(name, _)| name.starts_with("pypi")).cloned().collect::<Vec<_>>();
    assert_eq!(untouched(&world.shards()), untouched(&before));

    // The same shards as of everything at once, and as of the folder that was kept.
    let (single, whole) = (world.shards(), world.path("whole").display().to_string());
    plimsoll(&["db", "update", "--from", &world.server.url, "--db", &whole]).expect(0);
    let status = |folder: &str| {
        let text = plimsoll(&["db", "status", "--db", folder]).expect(0).stdout;
        let shards = text.lines().filter(|line| ["npm", "pypi"].iter().any(|name| line.starts_with(name)));
        shards.map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(status(&whole), status(&world.database()));
    let kept = world.path("db/feeds").display().to_string();
    plimsoll(&["db", "build", "--from", &kept, "--db", &world.database()]).expect(0);
    assert_eq!(world.shards(), single);
    let mirrored = world.path("mirrored").display().to_string();
    plimsoll(&["db", "update", "--from", &kept, "--db", &mirrored]).expect(0);
    assert_eq!(status(&mirrored), status(&world.database()));
}

#[test]
fn times_that_lie_and_records_that_go_bring_the_whole_archive() {
    for (case, change) in [
        ("year 1", Record::new("PLIM-2026-1004", "fresh-anchor", "1.1.0", "0001-01-01T00:00:00Z")),
        ("to come", Record::new("PLIM-2026-1004", "fresh-anchor", "1.1.0", "2999-01-01T00:00:00Z")),
        ("back in time", Record::new("PLIM-2026-1003", "fresh-anchor", "1.1.0", "2025-10-01T00:00:00Z")),
    ] {
        let world = World::new();
        world.update(0);
        world.server.asked();
        let all: Vec<Record> = records().into_iter().filter(|record| record.id != change.id).chain([change.clone()]).collect();
        world.server.publish("npm", &all);
        world.update(0).says("feed: npm: fetched");
        assert!(world.asked("/npm/").contains(&("/npm/all.zip".to_owned(), 200)), "{case}");
        assert!(world.found().contains(&change.id), "{case}");
    }
    let world = World::new();
    world.update(0);
    world.server.publish("npm", &records()[..1]);
    world.update(0).says("feed: npm: fetched");
    assert_eq!(world.found(), ids(&["PLIM-2026-1001"]), "a record that is gone");
    // Too many changes.
    let many: Vec<Record> =
        (0..2_001).map(|number| Record::new(&format!("PLIM-2026-{number:05}"), "left-anchor", "2.0.0", SECOND)).collect();
    world.server.publish("npm", &many);
    world.server.asked();
    world.update(0);
    assert!(world.asked("/npm/").contains(&("/npm/all.zip".to_owned(), 200)));
    assert_eq!(world.found().len(), 2_001);
}

#[test]
fn a_record_that_comes_in_late_with_an_old_time_is_not_missed() {
    let world = World::new();
    world.update(0);
    let mut all = records();
    all.push(Record::new("PLIM-2026-1004", "fresh-anchor", "1.1.0", "2025-06-01T00:00:00Z"));
    world.server.publish("npm", &all);
    world.update(0).says("feed: npm: 1 record fetched");
    assert!(world.found().contains("PLIM-2026-1004"));
}

#[test]
fn an_archive_behind_its_listing_is_completed_by_single_records() {
    let world = World::new();
    let zip = {
        let server = FeedServer::start();
        server.publish("npm", &records());
        server
    };
    world.publish_second();
    // The archive of before the change, the listing of after it.
    let stale = plimsoll_zip(&zip);
    world.server.put("/npm/all.zip", stale);
    world.update(0);
    assert_eq!(world.found(), new());
}

/// The archive that another server publishes.
pub(crate) fn plimsoll_zip(server: &FeedServer) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("folder");
    server.put("/ecosystems.txt", "npm\n");
    let database = folder.path().display().to_string();
    plimsoll(&["db", "update", "--from", &server.url, "--db", &database]).expect(0);
    fs::read(folder.path().join("feeds/npm/all.zip")).expect("archive")
}

#[test]
fn what_fails_leaves_the_old_database_and_says_so() {
    let archive = "/npm/all.zip";
    for (fault, code) in [
        (Fault::Cut, 3),
        (Fault::Half, 3),
        (Fault::Flipped, 3),
        (Fault::Status(500, 100, None), 3),
        (Fault::Status(403, 100, None), 3),
        (Fault::Status(503, 2, None), 0),
        (Fault::Status(429, 1, Some(1)), 0),
        (Fault::Status(429, 100, Some(100_000)), 3),
        (Fault::Status(429, 100, Some(u64::MAX)), 3),
        (Fault::Redirect("https://127.0.0.1:1/npm/all.zip".to_owned()), 3),
        (Fault::Redirect("/npm/all.zip".to_owned()), 3),
        (Fault::Redirect("/elsewhere.zip".to_owned()), 0),
        (Fault::Slow(Duration::from_millis(20)), 0),
    ] {
        let world = World::new();
        world.update(0);
        let before = world.shards();
        world.publish_second();
        world.server.put("/npm/PLIM-2026-1004.json", "{}");
        if matches!(&fault, Fault::Redirect(to) if to.starts_with("/elsewhere")) {
            world.server.put("/elsewhere.zip", plimsoll_second());
        }
        // The single record is useless, so that the archive is asked for, and that fails.
        world.server.fault(archive, Some(fault.clone()));
        let run = plimsoll(&world.args(&["--timeout", "60"]));
        assert_eq!(run.code, code, "{fault:?}\n{}\n{}", run.stdout, run.stderr);
        if code == 3 {
            assert!(run.stdout.contains("gap: no-advisories npm: ") && run.stdout.contains("stays in use"), "{fault:?}: {}", run.stdout);
            assert_eq!(world.shards(), before, "{fault:?}");
            assert_eq!(world.found(), old(), "{fault:?}");
        }
        // And when it is over, everything is well.
        world.server.fault(archive, None);
        world.publish_second();
        world.update(0);
        assert_eq!(world.found(), new(), "{fault:?}");
    }
}

/// The archive of after the change.
fn plimsoll_second() -> Vec<u8> {
    let world = World::new();
    world.publish_second();
    world.update(0);
    fs::read(world.path("db/feeds/npm/all.zip")).expect("archive")
}

#[test]
fn nothing_at_all_is_an_error_and_the_old_database_stays() {
    let world = World::new();
    for path in ["/ecosystems.txt", "/amazon/repositories.txt", "/kev/known_exploited_vulnerabilities.json"] {
        world.server.fault(path, Some(Fault::Status(403, 1_000, None)));
    }
    for path in ["/epss/epss_scores-current.csv.gz", "/debian-tracker/debian.json"] {
        world.server.fault(path, Some(Fault::Status(403, 1_000, None)));
    }
    world.update(2).complains("no feed could be fetched");
    assert!(!world.path("db/npm.plimdb").exists());
    world.server.fault("/ecosystems.txt", None);
    world.update(3);
    assert_eq!(world.found(), old());
    world.server.fault("/ecosystems.txt", Some(Fault::Status(403, 1_000, None)));
    world.update(2).complains("the database that was there stays in use");
    assert_eq!(world.found(), old());
    plimsoll(&["db", "update", "--from", "http://127.0.0.1:1", "--db", &world.database(), "--timeout", "5"]).expect(2);
    assert_eq!(world.found(), old());
}

#[test]
fn a_copy_that_somebody_damaged_is_fetched_again() {
    let world = World::new();
    world.update(0);
    for damage in ["feeds/npm/all.zip", "feeds/state.json", "feeds/npm/modified_id.csv"] {
        fs::write(world.path("db").join(damage), "x").expect("damage");
        world.update(0);
        assert_eq!(world.found(), old(), "{damage}");
    }
    fs::remove_file(world.path("db/npm.plimdb")).expect("shard");
    world.update(0).says("npm");
    assert_eq!(world.found(), old());
}

#[cfg(unix)]
#[test]
fn a_killed_update_leaves_the_old_database_or_the_new_one() {
    let world = World::new();
    world.update(0);
    for path in ["/npm/modified_id.csv", "/npm/PLIM-2026-1004.json", "/PyPI/all.zip"] {
        world.server.fault(path, Some(Fault::Slow(Duration::from_millis(4))));
    }
    let began = std::time::Instant::now();
    plimsoll(&world.args(&["--full"])).expect(0);
    let whole = began.elapsed();
    for point in 0..20_u32 {
        if point % 2 == 0 {
            world.publish_second();
        } else {
            world.server.publish("npm", &records());
        }
        let more: &[&str] = if point % 4 < 2 { &["--full"] } else { &[] };
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(world.args(more))
            .env_clear()
            .env("SOURCE_DATE_EPOCH", "1795000000")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        // From before the first byte to after the last one, whatever the machine.
        std::thread::sleep(whole * point / 18);
        // `kill` sends SIGKILL; one that has ended already is as good.
        let _ = child.kill();
        let _ = child.wait();
        let found = world.found();
        assert!(found == old() || found == new(), "point {point}: {found:?}");
    }
    world.publish_second();
    world.update(0);
    assert_eq!(world.found(), new());
    assert!(!world.path("db/feeds/.incoming").exists());
}

#[test]
fn two_updates_at_once_are_as_good_as_one() {
    let world = World::new();
    world.server.fault("/npm/all.zip", Some(Fault::Slow(Duration::from_millis(30))));
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(world.args(&[]))
            .env_clear()
            .env("SOURCE_DATE_EPOCH", "1795000000")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts")
    };
    let children: Vec<_> = (0..3).map(|_| start()).collect();
    for child in children {
        let output = child.wait_with_output().expect("ends");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(world.found(), old());
    let times = world.server.asked().into_iter().filter(|asked| asked.path == "/npm/all.zip" && asked.status == 200).count();
    assert_eq!(times, 1, "the others found that nothing changed");
}

#[test]
fn feeds_are_chosen_by_name() {
    let world = World::new();
    plimsoll(&world.args(&["--ecosystem", "NPM"])).expect(0).says("feeds: 1 up to date");
    assert!(!world.path("db/pypi.plimdb").exists());
    plimsoll(&world.args(&["--ecosystem", "Debian"])).expect(3).says("gap: no-advisories Debian: the origin does not have this feed");
    plimsoll(&world.args(&["--ecosystem", "npm", "--ecosystem", "kev"])).expect(3).says("gap: kev-data");
    plimsoll(&world.args(&["--ecosystem", "no-such"])).expect(2);
    world.server.put("/ecosystems.txt", "npm\nWolfi\n");
    world.server.publish("Wolfi", &[Record::new("CGA-1", "keel", "1.0-r0", FIRST)]);
    world.server.asked();
    world.update(0);
    assert!(world.asked("/Wolfi/").is_empty(), "its licence forbids to pass it on");
    plimsoll(&world.args(&["--ecosystem", "wolfi"])).expect(0).says("wolfi");
}

/// A list of updates with one advisory of one package.
fn updates(id: &str, name: &str, version: &str, arch: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><updates><update type=\"security\"><id>{id}</id><title>{name}</title><updated date=\"2026-11-01 10:00\"/>\
         <severity>important</severity><references><reference type=\"cve\" id=\"CVE-2026-90071\"/></references><pkglist><collection short=\"x\">\
         <package name=\"{name}\" epoch=\"0\" version=\"{version}\" release=\"1.amzn2\" arch=\"{arch}\"/></collection></pkglist></update></updates>"
    )
}

#[test]
fn amazon_linux_comes_from_its_own_repositories() {
    let world = World::new();
    let server = &world.server;
    let catalogue = json!({ "topics": [{ "n": "php8.0", "versions": ["8.0"] }] }).to_string();
    for arch in ["x86_64", "aarch64"] {
        server.put(&format!("/2/extras-catalog-{arch}.json"), catalogue.clone());
        for (release, list, root) in [
            ("2", format!("/2/core/latest/{arch}/mirror.list"), format!("/2/core/2.0/{arch}/guid")),
            ("2023", format!("/al2023/core/mirrors/latest/{arch}/mirror.list"), format!("/al2023/core/guids/1/{arch}")),
        ] {
            server.publish_updates(&list, &root, &updates(&format!("ALAS{release}-2026-1"), "keel", "2.0", arch));
        }
        let list = format!("/2/extras/php8.0/latest/{arch}/mirror.list");
        server.publish_updates(&list, &format!("/2/extras/php8.0/8/{arch}"), &updates("ALASPHP8.0-2026-1", "php", "8.0.30", arch));
    }
    let args: Vec<String> = ["--ecosystem", "amazon linux", "--alas-url", &server.url].map(str::to_owned).to_vec();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    plimsoll(&world.args(&args)).expect(0).says("amazon-2023").says("feeds: 6 up to date, 0 of them unchanged");
    let run = plimsoll(&["explain", "AL2/ALASPHP8.0-2026-1", "--db", &world.database()]).expect(0);
    assert!(run.stdout.contains("8.0.30-1.amzn2"), "{}", run.stdout);
    plimsoll(&world.args(&args)).expect(0).says("6 of them unchanged");
    // The kept folder is a mirror.
    let (kept, other) = (world.path("db/feeds").display().to_string(), world.path("other").display().to_string());
    plimsoll(&["db", "update", "--from", &kept, "--db", &other, "--ecosystem", "Amazon Linux"]).expect(0).says("amazon-2");

    // A wrong digest: the list stays that was there, and the others are not affected.
    let before = world.shards();
    let path = "/al2023/core/guids/1/x86_64/repodata/updateinfo.xml.gz";
    let list = "/al2023/core/mirrors/latest/x86_64/mirror.list";
    server.publish_updates(list, "/al2023/core/guids/1/x86_64", &updates("ALAS2023-2026-2", "keel", "3.0", "x86_64"));
    for fault in [Fault::Flipped, Fault::Half, Fault::Cut] {
        server.fault(path, Some(fault.clone()));
        let run = plimsoll(&world.args(&args)).expect(3).says("gap: no-advisories amazon/2023/core/x86_64");
        assert!(run.stdout.contains("stays in use"), "{fault:?}: {}", run.stdout);
        assert_eq!(world.shards(), before, "{fault:?}");
        assert_eq!(fs::read_to_string(world.path("db/feeds/amazon/failed.txt")).expect("list"), "2023/core/x86_64\n");
    }
    // A mirror passes on what it could not have.
    let run = plimsoll(&["db", "update", "--from", &kept, "--db", &other, "--ecosystem", "Amazon Linux"]).expect(3);
    assert!(run.stdout.contains("amazon/2023/core/x86_64: ") && run.stdout.contains("has an older copy"), "{}", run.stdout);
    server.fault(path, None);
    plimsoll(&world.args(&args)).expect(0).says("feed: amazon/2023/core/x86_64: fetched");
    assert!(!world.path("db/feeds/amazon/failed.txt").exists());
    plimsoll(&["explain", "ALAS2023-2026-2", "--db", &world.database()]).expect(0);

    // An extra that had updates has them still, whatever its index says or the catalogue does not.
    let index = "/2/extras/php8.0/8/x86_64/repodata/repomd.xml";
    let list = "/2/extras/php8.0/latest/x86_64/mirror.list";
    server
        .put(index, "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><data type=\"primary\"><location href=\"a\"/></data></repomd>");
    let run = plimsoll(&world.args(&args)).expect(3);
    assert!(run.stdout.contains("amazon/2/php8.0/x86_64: ") && run.stdout.contains("names no list of updates"), "{}", run.stdout);
    server.publish_updates(list, "/2/extras/php8.0/8/x86_64", &updates("ALASPHP8.0-2026-1", "php", "8.0.30", "x86_64"));
    server.put("/2/extras-catalog-x86_64.json", json!({ "topics": [{ "n": "docker" }] }).to_string());
    server.publish_updates(
        "/2/extras/docker/latest/x86_64/mirror.list",
        "/2/extras/docker/1/x86_64",
        &updates("ALASDOCKER-2026-1", "docker", "20.1", "x86_64"),
    );
    plimsoll(&world.args(&args)).expect(3).says("gap: no-advisories amazon/2/php8.0/x86_64: the origin does not have this feed any more");
    plimsoll(&["explain", "AL2/ALASPHP8.0-2026-1", "--db", &world.database()]).expect(0);
    server.put("/2/extras-catalog-x86_64.json", catalogue.clone());

    // An extra that never came is missed by name.
    let fresh = world.path("fresh").display().to_string();
    server.remove("/2/extras/php8.0/latest/x86_64/mirror.list");
    let run = plimsoll(&["db", "update", "--db", &fresh, "--ecosystem", "Amazon Linux", "--alas-url", &server.url]).expect(3);
    assert!(run.stdout.contains("php8.0/x86_64 (its updates could never be fetched)"), "{}", run.stdout);
}

#[test]
fn a_folder_with_the_fixtures_is_built_with_amazon_and_the_tracker() {
    let folder = tempfile::tempdir().expect("folder");
    let database = folder.path().join("db").display().to_string();
    let mirror = folder.path().join("mirror");
    copy(&testdata("advisory/osv"), &mirror);
    copy(&testdata("advisory/alas"), &mirror.join("amazon"));
    copy(&testdata("advisory/debian-tracker"), &mirror.join("debian-tracker"));
    let run = plimsoll(&["db", "build", "--from", &mirror.display().to_string(), "--db", &database]).expect(0);
    for shard in ["amazon-2 ", "amazon-2023 ", "debian-12 ", "debian-13 ", "npm "] {
        assert!(run.stdout.contains(shard), "{}", run.stdout);
    }
    for (id, expected) in [
        ("ALAS2023-2026-101", "AL2023/ALAS-2026-101"),
        ("CVE-2026-90061", "affects Debian:11 ballast"),
        ("CVE-2026-90002", "affects Debian:13 ballast"),
    ] {
        let run = plimsoll(&["explain", id, "--db", &database]).expect(0);
        assert!(run.stdout.contains(expected), "{id}: {}", run.stdout);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("folder").map(|entry| entry.expect("entry").path()) {
        let place = to.join(entry.file_name().expect("name"));
        if entry.is_dir() {
            copy(&entry, &place);
        } else {
            fs::copy(&entry, place).expect("copy");
        }
    }
}
