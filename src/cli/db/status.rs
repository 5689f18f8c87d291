//! `plimsoll db status`: what the database holds, how old it is, and whose it is. In: an open database and the time; out: a table, licence notices,
//! or JSON (`policies/db-status.schema.json`).

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    advisory::{Coverage, Database, ShardStatus, Unfixed},
    cli::{Failure, output::print, setup},
    exit::ExitStatus,
};

const DAY: i64 = 24 * 60 * 60;
/// So many digits of a digest are shown; JSON has all of them.
const DIGITS: usize = 12;

/// Arguments of `db status`.
#[derive(Debug, Args)]
#[command(
    after_help = "The age counts from the newest record, or from the time that the feed names. `unfixed` says whether problems without a fix are listed.\n\nExamples:\n  plimsoll db status\n  plimsoll db status --json | jq '.shards[] | select(.ageSeconds > 604800) | .name'\n  plimsoll db status --licences"
)]
pub(in crate::cli) struct StatusArgs {
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// JSON of schema `plimsoll/db-status/1`, with every digest, feed and release.
    #[arg(long)]
    json: bool,
    /// Whose data it is, and under which terms.
    #[arg(long, conflicts_with = "json")]
    licences: bool,
}

/// Runs `db status`.
pub(super) fn run(args: StatusArgs) -> Result<ExitStatus, Failure> {
    let database = Database::open(&super::folder(args.db)?)?;
    let shards = database.status();
    let text = if args.json {
        json(&database, &shards, setup::now())
    } else if args.licences {
        licences(&shards)
    } else {
        table(&database, &shards, setup::now())
    };
    print(text.as_bytes())
}

fn table(database: &Database, shards: &[ShardStatus], now: Timestamp) -> String {
    let mut text = format!("{:<22} {:>8} {:>9}  {:<10} {:>7}  {:<8}  digest\n", "shard", "records", "rows", "as of", "age", "unfixed");
    for shard in shards {
        let unfixed = match shard.coverage.as_slice() {
            [only] if matches!(shard.ecosystem.as_str(), "KEV" | "EPSS") || only.unfixed.is_none() => "-",
            list if list.iter().all(|coverage| coverage.unfixed == Some(Unfixed::Listed)) => Unfixed::Listed.name(),
            _ => Unfixed::Unknown.name(),
        };
        let _ = writeln!(
            text,
            "{:<22} {:>8} {:>9}  {:<10} {:>7}  {unfixed:<8}  {}",
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
    let _ = writeln!(text, "{} shards, {} kB, database {}", shards.len(), bytes.div_ceil(1000), database.digest());
    text
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

fn json(database: &Database, shards: &[ShardStatus], now: Timestamp) -> String {
    let status = Status {
        schema: "plimsoll/db-status/1",
        tool: Tool { name: "plimsoll", version: env!("CARGO_PKG_VERSION") },
        evaluated_at: now.to_string(),
        digest: database.digest().to_string(),
        shards: shards.iter().map(|shard| Shard::of(shard, now)).collect(),
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
    fn of(shard: &'a ShardStatus, now: Timestamp) -> Self {
        Self {
            name: &shard.name,
            as_of: shard.as_of.as_deref(),
            age_seconds: age(shard.as_of.as_deref(), now),
            records: shard.records,
            rows: shard.rows,
            unreadable: shard.unreadable,
            digest: shard.digest.to_string(),
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
    use crate::advisory::build;

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
        let text = json(&database, &database.status(), now());
        let schema: serde_json::Value = serde_json::from_str(include_str!("../../../policies/db-status.schema.json")).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<_> = jsonschema::validator_for(&schema).unwrap().iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
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
    fn every_shard_has_its_terms() {
        let (_out, database) = database();
        let text = licences(&database.status());
        for words in ["CC-BY-4.0: npm", "no explicit licence found: alpine-v3.20, debian-11, debian-12", "states no terms", "cite FIRST"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
