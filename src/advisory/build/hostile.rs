//! Feeds that are dated, named or cut as no feed should be, built.

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use jiff::Timestamp;

    use crate::advisory::{
        Database, build,
        build::tests::{RECORD, feed_of},
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
    }

    #[test]
    fn a_record_that_does_not_read_is_remembered_in_the_shard() {
        let feed = feed_of(&[("a.json", RECORD), ("b.json", "{\"id\":7}"), ("readme.txt", "x")]);
        let out = tempfile::tempdir().unwrap();
        let summary = build(feed.path(), out.path(), at("2025-01-01T00:00:00Z")).unwrap();
        assert_eq!(summary.gaps.len(), 1);
        let status = &Database::open(out.path()).unwrap().status()[0];
        // A record from the future says nothing of the age of its feed, else one of them would make a dead feed as young as every build.
        assert_eq!((status.unreadable, status.as_of.as_deref()), (1, None));
    }

    #[test]
    fn a_record_from_the_future_makes_no_dead_feed_fresh() {
        let late = RECORD.replace("PLIM-1", "PLIM-2").replace("2026-01-01", "2099-01-01");
        let feed = feed_of(&[("a.json", RECORD), ("b.json", &late)]);
        let built = |time: &str| {
            let out = tempfile::tempdir().unwrap();
            let summary = build(feed.path(), out.path(), at(time)).unwrap();
            (summary.shards[0].as_of.clone(), files(out.path()))
        };
        let first = built("2026-11-01T00:00:00Z");
        assert_eq!(first.0.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(first, built("2027-11-01T00:00:00Z"));
    }

    #[test]
    fn what_the_feed_calls_things_cannot_act_on_a_terminal() {
        let name = format!("a\u{1b}[2J\n\u{202e}{}.json", "b".repeat(2000));
        let feed = feed_of(&[("a.json", RECORD), (name.as_str(), "{")]);
        let out = tempfile::tempdir().unwrap();
        let reason = build(feed.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap().gaps.remove(0).reason;
        assert!(reason.contains("a [2J  bbb") && reason.len() < 500, "{reason:?}");
        let database = Database::open(out.path()).unwrap();
        let coverage = database.shard("npm").unwrap().coverage();
        assert!(coverage["npm"]["unreadable-names"].starts_with("a [2J  bbb"), "{coverage:?}");
    }

    #[test]
    fn what_is_there_and_cannot_be_read_is_a_gap() {
        let feed = feed_of(&[("a.json", RECORD)]);
        fs::create_dir_all(feed.path().join("PyPI/all.zip")).unwrap();
        fs::create_dir_all(feed.path().join("RubyGems")).unwrap();
        fs::write(feed.path().join("RubyGems/all.zip"), "no archive").unwrap();
        let closed = feed.path().join("Maven");
        fs::create_dir_all(&closed).unwrap();
        fs::write(closed.join("all.zip"), "").unwrap();
        fs::write(feed.path().join("amazon"), "no folder").unwrap();
        fs::create_dir_all(feed.path().join("kev/known_exploited_vulnerabilities.json")).unwrap();
        fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        let out = tempfile::tempdir().unwrap();
        let summary = build(feed.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(summary.shards.iter().map(|shard| shard.name.as_str()).collect::<Vec<_>>(), ["npm"]);
        let gaps: Vec<_> = summary.gaps.iter().map(|gap| (gap.kind, gap.subject.as_str())).collect();
        let lost = |name| ("no-advisories", name);
        assert_eq!(gaps, [lost("Amazon Linux"), lost("Maven"), lost("PyPI"), lost("RubyGems"), ("kev-data", "KEV")]);
        for (gap, file) in summary.gaps.iter().zip(["amazon", "Maven/all.zip", "PyPI/all.zip", "RubyGems/all.zip", "known_exploited"]) {
            assert!(gap.reason.contains(file), "{}", gap.reason);
        }
    }

    #[test]
    fn many_releases_take_time_in_proportion() {
        let records: Vec<(String, String)> = (0..800)
            .map(|n| {
                let row = |n: u32| format!(r#"{{"package":{{"ecosystem":"Debian:{n}","name":"a"}},"versions":["1"]}}"#);
                let text = format!(r#"{{"id":"PLIM-{n}","modified":"2026-01-01T00:00:00Z","affected":[{},{}]}}"#, row(n), row(n + 1));
                (format!("{n}.json"), text)
            })
            .collect();
        let records: Vec<(&str, &str)> = records.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let feed = feed_of(&records);
        fs::rename(feed.path().join("npm"), feed.path().join("Debian")).unwrap();
        let out = tempfile::tempdir().unwrap();
        let summary = build(feed.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        assert_eq!(summary.shards.len(), 801);
        assert_eq!(summary.shards.iter().filter(|shard| shard.records == 2).count(), 799);
    }
}
