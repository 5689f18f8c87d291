//! `plimsoll db update` and `db build` when a feed, or the place that it is asked of, is not what it should be: nothing of it is built, nothing newer is
//! replaced, and whoever reads the message knows what to do.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    db_update::{FIRST, SECOND, World, new, old, plimsoll_zip, records},
    feed_server::{Fault, FeedServer},
    program::{plimsoll, testdata},
};

/// What is kept of a feed.
fn kept(world: &World) -> Vec<Vec<u8>> {
    ["db/feeds/npm/all.zip", "db/feeds/npm/modified_id.csv"].map(|name| fs::read(world.path(name)).expect("kept")).to_vec()
}

#[test]
fn of_a_refused_archive_nothing_is_built_now_or_later() {
    let small = {
        let server = FeedServer::start();
        server.publish("npm", &records()[2..]);
        plimsoll_zip(&server)
    };
    for (case, listing) in [
        (
            "behind its listing",
            format!("{SECOND},PLIM-2026-1004\n{FIRST},PLIM-2026-1001\n{FIRST},PLIM-2026-1002\n{FIRST},PLIM-2026-1003\n"),
        ),
        ("a page", "<html>login</html>".to_owned()),
        ("empty", String::new()),
    ] {
        let world = World::new();
        world.update(0);
        let (before, feeds) = (world.shards(), kept(&world));
        world.server.put("/npm/all.zip", small.clone());
        world.server.put("/npm/modified_id.csv", listing);
        for id in ["PLIM-2026-1001", "PLIM-2026-1002"] {
            world.server.remove(&format!("/npm/{id}.json"));
        }
        let run = world.update(3).says("gap: no-advisories npm: ");
        assert!(run.stdout.contains("what was known of it stays in use"), "{case}: {}", run.stdout);
        assert!((world.shards() == before) && (kept(&world) == feeds), "{case}");
        // Asking for it once more, or for everything anew, changes nothing.
        plimsoll(&world.args(&["--full", "--ecosystem", "npm"])).expect(2).complains("behind its listing");
        plimsoll(&world.args(&["--ecosystem", "PyPI"])).expect(0);
        world.update(3);
        assert!((world.shards() == before) && (kept(&world) == feeds), "{case}");
        assert_eq!(world.found(), old(), "{case}");
        world.publish_second();
        world.update(0);
        assert_eq!(world.found(), new(), "{case}");
    }
    // A listing that cannot be had is no reason to do without it.
    let world = World::new();
    world.update(0);
    let before = world.shards();
    world.server.put("/npm/all.zip", small);
    world.server.fault("/npm/modified_id.csv", Some(Fault::Status(403, 1_000, None)));
    plimsoll(&world.args(&["--full"])).expect(3).says("gap: no-advisories npm: ");
    assert_eq!(world.shards(), before);
}

#[test]
fn a_place_without_feeds_is_an_error_that_names_it() {
    let world = World::new();
    world.update(0);
    let (empty, fresh) = (world.path("empty"), world.path("fresh").display().to_string());
    fs::create_dir(&empty).expect("folder");
    let none = FeedServer::start();
    for from in ["/no-such-folder", &empty.display().to_string(), &none.url] {
        for database in [&world.database(), &fresh] {
            let run = plimsoll(&["db", "update", "--from", from, "--db", database]).expect(2);
            assert!(run.stderr.contains(&format!("`--from {from}` has none of the feeds")), "{}", run.stderr);
        }
    }
    for list in ["<html>login</html>", "", "\n", "Please log in\n"] {
        world.server.put("/ecosystems.txt", list);
        world.update(2).complains("list of ecosystems");
        assert_eq!(world.found(), old(), "{list}");
    }
    plimsoll(&["db", "update", "--osv-url", &none.url, "--ecosystem", "npm", "--db", &fresh]).expect(2).complains("it is no OSV bucket");
    let deep = format!("{}/npm", world.server.url);
    plimsoll(&["db", "update", "--from", &deep, "--db", &fresh]).expect(2).complains(&format!("`--from {}`", world.server.url));
    let deep = world.path("db/feeds/npm").display().to_string();
    plimsoll(&["db", "build", "--from", &deep, "--db", &fresh]).expect(2).complains("name the one above it");
    plimsoll(&["db", "update", "--from", "ftp://mirror.example/x", "--db", &fresh]).expect(2).complains("only http, https and file");
    plimsoll(&["db", "build", "--from", "ftp://mirror.example/x", "--db", &fresh]).expect(2).complains("only http, https and file");
}

#[test]
fn a_feed_that_its_origin_has_no_more_is_missed() {
    let world = World::new();
    let (kev, tracker) = ("/kev/known_exploited_vulnerabilities.json", "/debian-tracker/debian.json");
    world.server.put(kev, fs::read(testdata("advisory/osv/known_exploited_vulnerabilities.json")).expect("fixture"));
    world.server.put(tracker, fs::read(testdata("advisory/debian-tracker/debian.json")).expect("fixture"));
    world.server.put("/debian-tracker/fetched.txt", "2026-10-01T00:00:00Z\n");
    world.update(0).says("kev");
    let before = world.shards();
    let noted = || fs::read_to_string(world.path("db/feeds/debian-tracker/fetched.txt")).ok();
    assert_eq!(noted().as_deref(), Some("2026-10-01T00:00:00Z\n"), "a mirror knows when it asked");
    world.server.remove("/debian-tracker/fetched.txt");
    world.update(0);
    assert_eq!(noted(), None);
    let own = format!("{}{tracker}", world.server.url);
    plimsoll(&world.args(&["--debian-tracker-url", &own])).expect(0);
    assert!(noted().is_some_and(|time| time.starts_with("20") && !time.starts_with("2026-10-01")), "{:?}", noted());

    world.server.remove(kev);
    world.server.remove(tracker);
    world.server.put("/ecosystems.txt", "PyPI\n");
    let run = world.update(3).says("gap: kev-data KEV: the origin does not have this feed any more; what was known of it stays in use");
    for name in ["debian-tracker", "npm"] {
        let expected = format!("gap: no-advisories {name}: the origin does not have this feed any more");
        assert!(run.stdout.contains(&expected), "{}", run.stdout);
    }
    assert_eq!(world.shards(), before);
    // Whoever names the very file wants it.
    plimsoll(&world.args(&["--kev-url", &format!("{}{kev}", world.server.url)])).expect(3).says("there is no such file");
}

#[test]
fn shards_that_were_pulled_later_stay() {
    let world = World::new();
    world.server.put(
        "/kev/known_exploited_vulnerabilities.json",
        fs::read(testdata("advisory/osv/known_exploited_vulnerabilities.json")).expect("fixture"),
    );
    world.update(0);
    // As a pull does: shards of newer feeds in the place of ours.
    let newer = World::new();
    newer.publish_second();
    newer.update(0);
    for (name, _) in world.shards().iter().filter(|(name, _)| name.starts_with("npm.")) {
        fs::remove_file(world.path("db").join(name)).expect("shard");
    }
    for (name, bytes) in newer.shards().iter().filter(|(name, _)| name.starts_with("npm.")) {
        fs::write(world.path("db").join(name), bytes).expect("shard");
    }
    let pulled = world.shards();
    plimsoll(&world.args(&["--ecosystem", "kev"])).expect(0);
    plimsoll(&world.args(&["--ecosystem", "PyPI", "--full"])).expect(0);
    assert_eq!((world.shards() == pulled, world.found()), (true, new()));
    world.update(0).says("newer here: npm");
    assert_eq!((world.shards() == pulled, world.found()), (true, new()));
    // Until the feeds know more, or somebody wants them all the same.
    plimsoll(&world.args(&["--full"])).expect(0);
    assert_eq!(world.found(), old());
    world.publish_second();
    world.update(0);
    assert_eq!(world.found(), new());
    // An origin that went back in time is not silently followed.
    world.server.publish("npm", &records());
    for _ in 0..2 {
        world.update(3).says("the feed went back in time");
        assert_eq!(world.found(), new());
    }
    plimsoll(&world.args(&["--full"])).expect(0);
    assert_eq!(world.found(), old());
}

#[test]
fn writers_do_not_wait_for_downloads() {
    let world = World::new();
    world.update(0);
    world.publish_second();
    world.server.fault("/npm/modified_id.csv", Some(Fault::Slow(Duration::from_millis(800))));
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(world.args(&[]))
        .env_clear()
        .env("SOURCE_DATE_EPOCH", "1795000000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    std::thread::sleep(Duration::from_millis(700));
    plimsoll(&["db", "build", "--from", "testdata/advisory/osv", "--db", &world.database()]).expect(0);
    assert!(child.try_wait().expect("runs").is_none(), "the build waited for the downloads");
    assert!(child.wait().expect("ends").code().is_some_and(|code| code == 0));
}

#[test]
fn tokens_in_addresses_are_neither_shown_nor_kept() {
    let world = World::new();
    let from = format!("{}?sig=TOKEN", world.server.url);
    let update = |code| plimsoll(&["db", "update", "--from", &from, "--db", &world.database()]).expect(code);
    update(0);
    update(0).says("2 of them unchanged");
    world.server.fault("/npm/modified_id.csv", Some(Fault::Status(403, 1_000, None)));
    let run = update(3).says("/npm/modified_id.csv?...: the server answers 403");
    let state = fs::read_to_string(world.path("db/feeds/state.json")).expect("state");
    assert!(!state.contains("TOKEN") && !run.stdout.contains("TOKEN") && !run.stderr.contains("TOKEN"), "{}", run.stdout);
}

#[test]
fn errors_say_what_failed_and_what_to_do() {
    let world = World::new();
    // Nothing was known before the first update.
    world.server.fault("/npm/all.zip", Some(Fault::Status(403, 1_000, None)));
    let run = world.update(3).says("gap: no-advisories npm: ");
    assert!(run.stdout.contains("nothing is known of it") && !run.stdout.contains("stays in use"), "{}", run.stdout);
    // Every host once, and ways around it.
    let nowhere = ["--osv-url", "http://127.0.0.1:1", "--kev-url", "http://127.0.0.1:2/kev", "--db", &world.database(), "--timeout", "2"];
    let args = [&["db", "update", "--ecosystem", "npm", "--ecosystem", "PyPI", "--ecosystem", "kev"], &nowhere[..]].concat();
    let run = plimsoll(&args).expect(2);
    for words in ["http://127.0.0.1:1", "http://127.0.0.1:2", "--from", "HTTPS_PROXY", "db pull"] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert_eq!(run.stderr.matches("127.0.0.1:1").count(), 1, "{}", run.stderr);
    // The time is up.
    world.server.fault("/npm/all.zip", Some(Fault::Slow(Duration::from_millis(500))));
    plimsoll(&world.args(&["--ecosystem", "npm", "--timeout", "1"])).expect(2).complains("(`--timeout`)");
    plimsoll(&["db", "build", "--from", &world.server.url, "--db", &world.database(), "--timeout", "1"]).expect(3).says("(`--timeout`)");
    // No archive at all, on disk and over the network.
    world.server.fault("/npm/all.zip", None);
    world.server.put("/npm/all.zip", "<html>");
    plimsoll(&world.args(&["--ecosystem", "npm"])).expect(2).complains("/npm/all.zip");
    let mirror = world.path("mirror");
    fs::create_dir_all(mirror.join("npm")).expect("folder");
    fs::write(mirror.join("npm/all.zip"), "<html>").expect("archive");
    let (mirror, fresh) = (mirror.display().to_string(), world.path("fresh").display().to_string());
    plimsoll(&["db", "build", "--from", &mirror, "--db", &fresh]).expect(2).complains("npm/all.zip");
    let run = plimsoll(&["db", "status", "--db", &fresh]).expect(2);
    assert!(["db update", "db pull", "db build"].iter().all(|way| run.stderr.contains(way)), "{}", run.stderr);
    let run = plimsoll(&["-q", "db", "build", "--from", "testdata/advisory/osv", "--db", &fresh]).expect(0);
    assert_eq!(run.stdout, "");
    plimsoll(&["db", "status", "--max-age", "1d", "--db", &fresh]).expect(3).says("too old: ");
    plimsoll(&["db", "status", "--json", "--licences", "--db", &fresh]).expect(0).says("\"notice\"");
    plimsoll(&["db", "status", "--db", &world.database()]).expect(0).says("feeds last updated 20");
}
