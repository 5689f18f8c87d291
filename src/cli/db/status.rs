//! `plimsoll db status`: what the database holds, how old it is, and whose it is. In: an open database and the time; out: a table, licence notices,
//! or JSON (`policies/db-status.schema.json`).

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    advisory::{Coverage, Database, Error, ShardStatus, Unfixed, artifact::Provenance, fetch::last_update},
    cli::{Failure, output::print, setup},
    exit::ExitStatus,
    model::digest::Digest,
};

const DAY: i64 = 24 * 60 * 60;
/// So many digits of a digest are shown; JSON has all of them.
const DIGITS: usize = 12;

/// Arguments of `db status`.
#[derive(Debug, Args)]
#[command(
    after_help = "The age counts from the newest record, or from the time that the feed names. `unfixed` says whether problems without a fix are listed. `artifact` is what `--db-digest` pins.\n\nExamples:\n  plimsoll db status\n  plimsoll db status --max-age 7d\n  plimsoll db status --json | jq '.shards[] | select(.ageSeconds > 604800) | .name'\n  plimsoll db status --licences\n\nExit codes: 0; 2 there is no database, or it cannot be read; 3 with --max-age, a shard is older than that or does not say how old it is."
)]
pub(in crate::cli) struct StatusArgs {
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// JSON of schema `plimsoll/db-status/1`, with every digest, feed and release.
    #[arg(long)]
    json: bool,
    /// Whose data it is, and under which terms; with --json, that has them anyway.
    #[arg(long)]
    licences: bool,
    /// Exit with 3 when a shard is older than this (`12h`, `7d`, `2w`). Releases that their feed says nothing new about do not count.
    #[arg(long, value_name = "AGE", value_parser = seconds)]
    max_age: Option<i64>,
}

/// Days or hours, in seconds.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || "write a whole number and a unit, as policies do: 12h, 7d or 2w".to_owned();
    let units = [('h', DAY / 24), ('d', DAY), ('w', 7 * DAY)];
    let found = units.iter().find_map(|(letter, unit)| Some((text.strip_suffix(*letter)?, *unit)));
    let (number, unit) = found.ok_or_else(wrong)?;
    number.parse::<u32>().map(|number| i64::from(number) * unit).map_err(|_| wrong())
}

/// Runs `db status`.
pub(super) fn run(args: StatusArgs) -> Result<ExitStatus, Failure> {
    let folder = super::folder(args.db)?;
    let database = Database::open(&folder)?;
    let provenance = Provenance::read(&folder).map_err(Error::from)?;
    let shards = database.status();
    let (now, updated) = (setup::now(), last_update(&folder));
    let old = args.max_age.map_or_else(Vec::new, |limit| older_than(&shards, limit, now));
    let mut text = if args.json {
        json(&database, &shards, now, &provenance, updated)
    } else if args.licences {
        licences(&shards)
    } else {
        table(&database, &shards, now) + &artifacts(&shards, &provenance) + &updates(updated, now)
    };
    if !args.json && !old.is_empty() {
        let _ = writeln!(text, "too old: {}", old.join(", "));
    }
    print(text.as_bytes())?;
    Ok(if old.is_empty() { ExitStatus::Pass } else { ExitStatus::Incomplete })
}

/// Shards that are older than `limit` seconds, or that do not say how old they are.
fn older_than(shards: &[ShardStatus], limit: i64, now: Timestamp) -> Vec<&str> {
    // A release that its distribution has given up gets no younger; whoever scans one is told that it is frozen.
    let is_frozen = |shard: &ShardStatus| !shard.coverage.is_empty() && shard.coverage.iter().all(|one| one.frozen_since.is_some());
    let is_old = |shard: &&ShardStatus| !is_frozen(shard) && age(shard.as_of.as_deref(), now).is_none_or(|age| age > limit);
    shards.iter().filter(is_old).map(|shard| shard.name.as_str()).collect()
}

/// When feeds were last fetched into this database, if it is one that is updated.
fn updates(updated: Option<Timestamp>, now: Timestamp) -> String {
    let ago = |updated: Timestamp| now.as_second().saturating_sub(updated.as_second()).max(0) / DAY;
    updated.map_or_else(String::new, |updated| format!("feeds last updated {updated}, {} d ago\n", ago(updated)))
}

fn table(database: &Database, shards: &[ShardStatus], now: Timestamp) -> String {
    let width = shards.iter().map(|shard| shard.name.chars().count()).max().unwrap_or(0).max(22);
    let mut text = format!("{:<width$} {:>8} {:>9}  {:<10} {:>7}  {:<8}  digest\n", "shard", "records", "rows", "as of", "age", "unfixed");
    for shard in shards {
        let unfixed = match shard.coverage.as_slice() {
            [only] if matches!(shard.ecosystem.as_str(), "KEV" | "EPSS") || only.unfixed.is_none() => "-",
            list if list.iter().all(|coverage| coverage.unfixed == Some(Unfixed::Listed)) => Unfixed::Listed.name(),
            _ => Unfixed::Unknown.name(),
        };
        let _ = writeln!(
            text,
            "{:<width$} {:>8} {:>9}  {:<10} {:>7}  {unfixed:<8}  {}",
            shard.name,
            shard.records,
            shard.rows,
            shard.as_of.as_deref().and_then(|date| date.get(..10)).unwrap_or("unknown"),
            age(shard.as_of.as_deref(), now).map_or_else(|| "unknown".to_owned(), |age| format!("{} d", age / DAY)),
            shard.digest.hex().get(..DIGITS).unwrap_or_default()
        );
        for note in notes(shard, &now.to_string()) {
            let _ = writeln!(text, "    {note}");
        }
    }
    let bytes: usize = shards.iter().map(|shard| shard.bytes + shard.text_bytes.unwrap_or(0)).sum();
    let _ = writeln!(text, "{} shards, {} kB, contents {}", shards.len(), bytes.div_ceil(1000), database.digest());
    text
}

/// Which artifacts shards were pulled from: their digests are what `--db-digest` pins.
fn artifacts(shards: &[ShardStatus], provenance: &Provenance) -> String {
    let mut pulled: BTreeMap<(&Digest, &str), Vec<&str>> = BTreeMap::new();
    for shard in shards {
        if let Some(origin) = provenance.of(&shard.name, &shard.digest) {
            pulled.entry((&origin.artifact, &origin.reference)).or_default().push(&shard.name);
        }
    }
    let mut text = String::new();
    for ((artifact, reference), names) in &pulled {
        let place = reference.split('@').next().unwrap_or(reference);
        let of = if names.len() == shards.len() { String::new() } else { format!(": {}", names.join(", ")) };
        let _ = writeln!(text, "artifact {place}@{artifact}{of}");
    }
    if pulled.is_empty() {
        text.push_str("artifact none: built here, so that there is nothing for --db-digest to pin\n");
    } else {
        text.push_str("    `plimsoll db verify` says who signed it\n");
    }
    text
}

/// The one artifact that every shard was pulled from.
fn artifact(shards: &[ShardStatus], provenance: &Provenance) -> Option<String> {
    let mut found: Vec<Option<&Digest>> =
        shards.iter().map(|shard| provenance.of(&shard.name, &shard.digest).map(|origin| &origin.artifact)).collect();
    found.dedup();
    match found.as_slice() {
        [Some(only)] => Some(only.to_string()),
        _ => None,
    }
}

/// What is wrong with a shard, or what it covers when that is not one release alone.
fn notes(shard: &ShardStatus, now: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if shard.unreadable > 0 {
        notes.push(format!("{} records of the feed could not be read", shard.unreadable));
    }
    if let (Some(file), None) = (&shard.text_file, shard.text_bytes) {
        notes.push(format!("the text file {file} is not there: build or pull the database again"));
    }
    for coverage in &shard.coverage {
        if shard.coverage.len() > 1 {
            notes.push(format!("{}: {} rows as of {}", coverage.ecosystem, coverage.rows, coverage.as_of.as_deref().unwrap_or("unknown")));
        }
        // Dates of one form compare as texts do.
        let past = coverage.end_of_life.iter().filter(|day| now.get(..10).is_some_and(|today| today > day.as_str()));
        notes.extend(past.map(|day| format!("{}: end of life {day}", coverage.ecosystem)));
        notes.extend(coverage.frozen_since.iter().map(|day| format!("{}: the feed says nothing new since {day}", coverage.ecosystem)));
    }
    notes
}

fn licences(shards: &[ShardStatus]) -> String {
    let mut terms: BTreeMap<(&str, Option<&str>), Vec<&str>> = BTreeMap::new();
    for shard in shards {
        terms.entry((&shard.licence, shard.notice.as_deref())).or_default().push(&shard.name);
    }
    let mut text = String::new();
    for ((licence, notice), names) in terms {
        let _ = writeln!(text, "{licence}: {}", names.join(", "));
        let _ = writeln!(text, "    {}", notice.unwrap_or("the publisher states no terms"));
    }
    text
}

/// Seconds; none for a date that does not read.
fn age(as_of: Option<&str>, now: Timestamp) -> Option<i64> {
    let as_of: Timestamp = as_of?.parse().ok()?;
    Some(now.as_second().saturating_sub(as_of.as_second()).max(0))
}

fn json(database: &Database, shards: &[ShardStatus], now: Timestamp, provenance: &Provenance, updated: Option<Timestamp>) -> String {
    let status = Status {
        schema: "plimsoll/db-status/1",
        tool: Tool { name: "plimsoll", version: env!("CARGO_PKG_VERSION") },
        evaluated_at: now.to_string(),
        digest: database.digest().to_string(),
        artifact: artifact(shards, provenance),
        feeds_updated_at: updated.map(|updated| updated.to_string()),
        shards: shards.iter().map(|shard| Shard::of(shard, now, provenance)).collect(),
    };
    serde_json::to_string_pretty(&status).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    schema: &'a str,
    tool: Tool,
    evaluated_at: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feeds_updated_at: Option<String>,
    shards: Vec<Shard<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shard<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    records: u32,
    rows: u32,
    unreadable: u32,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<String>,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<TextFile<'a>>,
    licence: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'a str>,
    builder: &'a str,
    feeds: Vec<Feed<'a>>,
    coverage: Vec<Covered<'a>>,
}

/// Without `bytes` the file is not there.
#[derive(Serialize)]
struct TextFile<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
}

#[derive(Serialize)]
struct Feed<'a> {
    name: &'a str,
    digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Covered<'a> {
    ecosystem: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<&'a str>,
    records: u32,
    rows: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfixed: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_of_life: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frozen_since: Option<&'a str>,
}

impl<'a> Shard<'a> {
    fn of(shard: &'a ShardStatus, now: Timestamp, provenance: &Provenance) -> Self {
        Self {
            name: &shard.name,
            as_of: shard.as_of.as_deref(),
            age_seconds: age(shard.as_of.as_deref(), now),
            records: shard.records,
            rows: shard.rows,
            unreadable: shard.unreadable,
            digest: shard.digest.to_string(),
            artifact: provenance.of(&shard.name, &shard.digest).map(|origin| origin.artifact.to_string()),
            bytes: shard.bytes,
            text: shard.text_file.as_deref().map(|file| TextFile { file, bytes: shard.text_bytes }),
            licence: &shard.licence,
            notice: shard.notice.as_deref(),
            builder: &shard.builder,
            feeds: shard.feeds.iter().map(|feed| Feed { name: &feed.feed, digest: &feed.digest, url: feed.url.as_deref() }).collect(),
            coverage: shard.coverage.iter().map(Covered::of).collect(),
        }
    }
}

impl<'a> Covered<'a> {
    fn of(coverage: &'a Coverage) -> Self {
        Self {
            ecosystem: &coverage.ecosystem,
            as_of: coverage.as_of.as_deref(),
            records: coverage.records,
            rows: coverage.rows,
            unfixed: coverage.unfixed.map(Unfixed::name),
            end_of_life: coverage.end_of_life.as_deref(),
            frozen_since: coverage.frozen_since.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::advisory::{artifact::provenance::Origin, build};

    fn database() -> (tempfile::TempDir, Database) {
        let out = tempfile::tempdir().unwrap();
        build(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv"), out.path(), now()).unwrap();
        let database = Database::open(out.path()).unwrap();
        (out, database)
    }

    fn now() -> Timestamp {
        "2026-11-22T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_table_is_narrow_and_says_what_is_missing() {
        let (out, database) = database();
        let text = table(&database, &database.status(), now());
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.lines().any(|line| line.starts_with("npm ") && line.contains("2026-10-05    47 d")), "{text}");
        assert!(!text.contains("is not there"));
        for entry in fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.extension().is_some_and(|extension| extension == "plimtext") {
                fs::remove_file(entry).unwrap();
            }
        }
        let database = Database::open(out.path()).unwrap();
        let text = table(&database, &database.status(), now());
        assert_eq!(text.matches("is not there").count(), 6, "{text}");
    }

    #[test]
    fn the_json_is_as_its_schema_says() {
        let (_out, database) = database();
        let origin = |shard: &ShardStatus| Origin {
            artifact: Digest::sha256_of(b"manifest"),
            reference: "registry.example/db:v1".to_owned(),
            digest: shard.digest.clone(),
            pulled: now(),
        };
        let shards = database.status();
        let mut pulled = Provenance { shards: shards.iter().map(|shard| (shard.name.clone(), origin(shard))).collect() };
        let text = json(&database, &shards, now(), &pulled, Some(now()));
        let schema: serde_json::Value = serde_json::from_str(include_str!("../../../policies/db-status.schema.json")).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<_> = jsonschema::validator_for(&schema).unwrap().iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        // One artifact stands for the database when every shard is of it.
        let digest = Digest::sha256_of(b"manifest").to_string();
        assert_eq!((value["artifact"].as_str(), value["feedsUpdatedAt"].as_str()), (Some(digest.as_str()), Some("2026-11-22T00:00:00Z")));
        assert!(artifacts(&shards, &pulled).starts_with(&format!("artifact registry.example/db:v1@{digest}\n")));
        pulled.shards.remove("npm");
        assert_eq!(artifact(&shards, &pulled), None);
        assert!(artifacts(&shards, &pulled).contains(": alpine-v3.20, crates.io,"));
        assert!(artifacts(&shards, &Provenance::default()).starts_with("artifact none"));
        let strange: Vec<_> = value.as_object().unwrap().keys().filter(|key| schema["properties"].get(key).is_none()).collect();
        assert!(strange.is_empty(), "{strange:?}");
        let names: Vec<_> = value["shards"].as_array().unwrap().iter().map(|shard| shard["name"].as_str().unwrap()).collect();
        assert!(names.is_sorted() && names.contains(&"debian-12"), "{names:?}");
        // What the schema does not list would be refused by readers that hold to it.
        let strange: Vec<_> = value["shards"][0]
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| schema["$defs"]["shard"]["properties"].get(key).is_none())
            .collect();
        assert!(strange.is_empty(), "{strange:?}");
    }

    #[test]
    fn long_names_keep_the_columns() {
        let (_out, database) = database();
        let mut shards = database.status();
        shards[0].name = "red-hat-rhel_aus-8.6--appstream".to_owned();
        let text = table(&database, &shards, now());
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(lines[0].find("records"), Some(33), "{text}");
        assert!(lines[1].starts_with("red-hat-rhel_aus-8.6--appstream ") && lines[1].chars().nth(40) == Some(' '), "{text}");
    }

    #[test]
    fn shards_that_are_too_old_are_named() {
        let (_out, database) = database();
        let mut shards = database.status();
        let old = |shards: &[ShardStatus], limit: &str| older_than(shards, seconds(limit).unwrap(), now()).join(" ");
        assert!(old(&shards, "7d").contains("npm") && old(&shards, "36500d").is_empty());
        shards.retain(|shard| shard.name == "npm");
        assert_eq!((old(&shards, "47d").as_str(), old(&shards, "1152h").as_str()), ("npm", ""));
        shards[0].as_of = None;
        assert_eq!(old(&shards, "36500d"), "npm", "nobody knows how old it is");
        shards[0].coverage.iter_mut().for_each(|coverage| coverage.frozen_since = Some("2026-01-01".to_owned()));
        assert_eq!(old(&shards, "1d"), "");
        for text in ["", "7", "d", "-1d", "7 d", "99999999999d"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_shard_has_its_terms() {
        let (_out, database) = database();
        let text = licences(&database.status());
        for words in ["CC-BY-4.0: npm", "no explicit licence found: alpine-v3.20, debian-11, debian-12", "states no terms", "cite FIRST"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
