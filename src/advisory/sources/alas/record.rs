//! Published updates to records. In: the updates of the repositories of one release; out: one record per id, with one row for each binary package and
//! range, whatever the number of architectures that have it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Repository,
    updateinfo::{Build, Update},
};
use crate::model::{
    advisory::{Advisory, AdvisoryId, Affected, AffectedRange, Event, RangeScheme},
    severity::{Rating, RatingAuthor},
};

/// The name of the ecosystem in front of the release.
pub(super) const ECOSYSTEM: &str = "Amazon Linux";
/// The attribute of a row with the architectures that it is about, sorted, with blanks between them; a row without it is about all.
const ARCH: &str = "arch";
/// The attribute of a row with the extra that it comes from.
const EXTRA: &str = "repository";
/// An id is never longer.
const MAX_ID: usize = 100;

/// Records of one release, by id.
#[derive(Debug, Default)]
pub(super) struct Records {
    by_id: BTreeMap<String, Record>,
    /// Updates that do not read, with the reason.
    pub(super) unreadable: Vec<String>,
}

#[derive(Debug)]
struct Record {
    update: Update,
    cves: BTreeSet<String>,
    /// Rows and the architectures of each; `noarch` is no architecture.
    rows: BTreeMap<Row, BTreeSet<String>>,
}

/// What a row says, but for its architectures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    name: String,
    extra: Option<String>,
    introduced: String,
    fixed: String,
}

impl Records {
    /// Adds one update of a repository. The same advisory comes once per architecture.
    pub(super) fn add(&mut self, repository: &Repository, mut update: Update) {
        let shown: String = update.id.chars().take(MAX_ID).collect();
        if update.id.is_empty() || update.id.len() > MAX_ID || update.id.chars().any(|ch| ch.is_control() || ch.is_whitespace()) {
            self.unreadable.push(format!("{}/{}: an update without a usable id `{shown}`", repository.name, repository.arch));
            return;
        }
        let cves: BTreeSet<String> = update.cves.drain(..).filter(|id| is_cve(id)).collect();
        // Bug fixes and enhancements are no advisories, unless they name a CVE (R13).
        if !matches!(update.kind.to_ascii_lowercase().as_str(), "security" | "") && cves.is_empty() {
            return;
        }
        let mut rows = Vec::new();
        for build in update.builds.drain(..).filter(|build| !is_for_debugging(&build.name)) {
            match row(repository, &build) {
                Ok(row) => rows.push((row, build.arch)),
                Err(reason) => {
                    self.unreadable.push(format!("{shown} ({reason})"));
                    return;
                }
            }
        }
        let record = self.by_id.entry(update.id.clone()).or_insert_with(|| Record {
            update: update.clone(),
            cves: BTreeSet::new(),
            rows: BTreeMap::new(),
        });
        // The newest words count; packages and CVEs are those of all.
        if modified(&update) > modified(&record.update) {
            record.update = update;
        }
        record.cves.extend(cves);
        for (row, arch) in rows {
            record.rows.entry(row).or_default().insert(arch);
        }
    }

    /// Everything that was added, by id.
    pub(super) fn finish(self, release: &str) -> Vec<Advisory> {
        self.by_id.into_values().map(|record| record.finish(release)).collect()
    }
}

impl Record {
    fn finish(self, release: &str) -> Advisory {
        let Self { update, cves, rows } = self;
        let site = site_id(&update.id, release);
        let affected = rows.into_iter().map(|(row, arches)| affected(release, row, &arches)).collect();
        let word = update.severity.trim().to_ascii_lowercase();
        let rating = |word| Rating { author: RatingAuthor::Vendor, word: Some(word), vector: None, score_tenths: None };
        Advisory {
            aliases: site.iter().filter(|site| **site != update.id).cloned().map(AdvisoryId).collect(),
            upstream: cves.into_iter().map(AdvisoryId).collect(),
            summary: one_line(&update.title),
            details: update.description.trim().to_owned(),
            published: date(&update.issued),
            modified: modified(&update),
            ratings: (!word.is_empty()).then(|| rating(word)).into_iter().collect(),
            affected,
            references: site.map(|site| format!("https://alas.aws.amazon.com/{site}.html")).into_iter().collect(),
            id: AdvisoryId(update.id),
            ..Advisory::default()
        }
    }
}

/// The OSV ecosystem string of a release: the first one calls itself by a month.
pub(super) fn ecosystem(release: &str) -> String {
    format!("{ECOSYSTEM}:{}", if release == "2018.03" { "1" } else { release })
}

fn affected(release: &str, row: Row, arches: &BTreeSet<String>) -> Affected {
    let mut attributes = BTreeMap::new();
    if !arches.is_empty() && !arches.contains("noarch") {
        attributes.insert(ARCH.to_owned(), arches.iter().map(String::as_str).collect::<Vec<_>>().join(" "));
    }
    attributes.extend(row.extra.map(|name| (EXTRA.to_owned(), name)));
    Affected {
        ecosystem: ecosystem(release),
        name: row.name,
        ranges: vec![AffectedRange {
            scheme: RangeScheme::Ecosystem,
            events: vec![Event::Introduced(row.introduced), Event::Fixed(row.fixed)],
        }],
        attributes,
        ..Affected::default()
    }
}

/// What one built package says: everything of its name below it is affected, within its stream.
fn row(repository: &Repository, build: &Build) -> Result<Row, String> {
    let word =
        |text: &str| !text.is_empty() && text.len() <= 256 && !text.chars().any(|ch| ch.is_control() || ch.is_whitespace() || ch == ':');
    if !word(&build.name) || !word(&build.version) || !word(&build.release) || build.version.contains('-') || build.release.contains('-') {
        return Err(format!("package `{:.80}` has no usable name and version", build.name));
    }
    if !word(&build.arch) || !build.epoch.bytes().all(|byte| byte.is_ascii_digit()) || build.epoch.len() > 10 {
        return Err(format!("package `{:.80}` has no usable architecture and epoch", build.name));
    }
    // The way packages are written everywhere else: no epoch instead of 0.
    let epoch = build.epoch.trim_start_matches('0');
    let epoch = if epoch.is_empty() { String::new() } else { format!("{epoch}:") };
    let is_extra = repository.name != "core";
    // Extras have packages of one name in several streams, and an installed package does not say which it came from: a row of `php8.0` begins
    // where 8.0 begins, so that it says nothing about 7.4. A package whose version does not follow the name of the stream has no such beginning.
    let stream = stream(&repository.name).filter(|stream| is_extra && is_of_stream(&build.version, stream));
    Ok(Row {
        name: build.name.clone(),
        extra: is_extra.then(|| repository.name.clone()),
        introduced: stream.map_or_else(|| "0".to_owned(), |stream| format!("{epoch}{stream}")),
        fixed: format!("{epoch}{}-{}", build.version, build.release),
    })
}

/// The numbers at the end of the name of an extra: `8.0` of `php8.0`.
fn stream(name: &str) -> Option<&str> {
    let start = name.rfind(|ch: char| !ch.is_ascii_digit() && ch != '.').map_or(0, |at| at + 1);
    let numbers = name.get(start..)?.trim_matches('.');
    (!numbers.is_empty()).then_some(numbers)
}

/// Whether a version has the leading numbers of a stream.
fn is_of_stream(version: &str, stream: &str) -> bool {
    let mut parts = version.split('.');
    stream.split('.').all(|number| {
        let part = parts.next().unwrap_or_default();
        let end = part.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(part.len());
        part.get(..end) == Some(number)
    })
}

/// Symbols and sources for debuggers: nobody runs them, and every update has a dozen.
fn is_for_debugging(name: &str) -> bool {
    name.ends_with("-debuginfo") || name.ends_with("-debugsource") || name.contains("-debuginfo-")
}

fn is_cve(id: &str) -> bool {
    id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
        let digits = |text: &str, most| !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(year, 4) && digits(number, 10)
    })
}

/// How the site names an advisory (A5): `AL2/ALAS-2018-939` is ALAS2-2018-939, and `AL2/ALASTOMCAT9-2025-016` is that of an extra, whether the file
/// writes ALASTOMCAT9 or ALAS2TOMCAT9.
fn site_id(id: &str, release: &str) -> Option<String> {
    let rest = id.strip_prefix("ALAS")?;
    let place = match release {
        "2018.03" => return Some(id.to_owned()),
        release => format!("AL{release}"),
    };
    // A digit that belongs to the name of an extra follows letters, that of the release does not.
    let rest = rest.strip_prefix(release).unwrap_or(rest);
    let fit = rest.len() > 1 && rest.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '.' | '_' | '+'));
    fit.then(|| format!("{place}/ALAS{rest}"))
}

pub(super) fn modified(update: &Update) -> Option<String> {
    date(&update.updated).or_else(|| date(&update.issued))
}

/// `2026-01-02 03:04`, with seconds or without, is meant in UTC.
fn date(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.to_string());
    }
    let time = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text)
        .or_else(|_| jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", text))
        .or_else(|_| jiff::civil::Date::strptime("%Y-%m-%d", text).map(|date| date.at(0, 0, 0, 0)));
    Some(time.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(release: &str, name: &str, arch: &str) -> Repository {
        Repository { release: release.to_owned(), name: name.to_owned(), arch: arch.to_owned() }
    }

    fn build(name: &str, epoch: &str, version: &str, arch: &str) -> Build {
        let text = str::to_owned;
        Build { name: text(name), epoch: text(epoch), version: text(version), release: text("1.amzn2"), arch: text(arch) }
    }

    fn update(id: &str, builds: Vec<Build>) -> Update {
        Update { id: id.to_owned(), kind: "security".to_owned(), cves: vec!["CVE-2026-90001".to_owned()], builds, ..Update::default() }
    }

    fn rows(name: &str, builds: Vec<Build>) -> Vec<String> {
        let mut records = Records::default();
        records.add(&repository("2", name, "x86_64"), update("ALAS2-2026-1", builds));
        assert_eq!(records.unreadable, [""; 0]);
        let advisories = records.finish("2");
        advisories[0]
            .affected
            .iter()
            .map(|row| match row.ranges[0].events.as_slice() {
                [Event::Introduced(from), Event::Fixed(to)] => {
                    let attributes: Vec<_> = row.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    format!("{} {from}..{to} {}", row.name, attributes.join(" "))
                }
                events => panic!("{events:?}"),
            })
            .collect()
    }

    #[test]
    fn rows_are_binary_packages_with_epoch_and_architecture() {
        let builds = vec![
            build("keel", "0", "1.2", "x86_64"),
            build("keel-debuginfo", "0", "1.2", "x86_64"),
            build("keel-debuginfo-common-x86_64", "0", "1.2", "x86_64"),
            build("keel-debugsource", "0", "1.2", "x86_64"),
            build("oar", "10", "1.2", "noarch"),
        ];
        assert_eq!(rows("core", builds), ["keel 0..1.2-1.amzn2 arch=x86_64", "oar 0..10:1.2-1.amzn2 "]);
    }

    #[test]
    fn rows_of_an_extra_begin_with_its_stream() {
        for (extra, version, introduced) in [
            ("php8.0", "8.0.30", "8.0"),
            ("php8.0", "1.10.12", "0"),
            ("php8.0", "8.00.1", "0"),
            ("kernel-5.10", "5.10.205", "5.10"),
            ("tomcat9", "9.0.90", "9"),
            ("nginx1", "1.22.1", "1"),
            ("nginx1", "12.2", "0"),
            ("selinux-ng", "2.0", "0"),
        ] {
            let expected = format!("p {introduced}..{version}-1.amzn2 arch=x86_64 repository={extra}");
            assert_eq!(rows(extra, vec![build("p", "", version, "x86_64")]), [expected]);
        }
        assert_eq!(rows("mariadb10.5", vec![build("p", "3", "10.5.9", "noarch")]), ["p 3:10.5..3:10.5.9-1.amzn2 repository=mariadb10.5"]);
    }

    #[test]
    fn one_advisory_of_two_architectures_is_one_record() {
        let mut records = Records::default();
        for arch in ["x86_64", "aarch64"] {
            let builds = vec![build("keel", "0", "1.2", arch), build("oar", "0", "1.2", "noarch")];
            let updated = format!("2026-01-02 03:0{}", arch.len());
            records.add(
                &repository("2", "core", arch),
                Update { updated, severity: "Important".to_owned(), ..update("ALAS2-2026-1", builds) },
            );
        }
        let advisories = records.finish("2");
        assert_eq!(advisories.len(), 1);
        let advisory = &advisories[0];
        assert_eq!(advisory.modified.as_deref(), Some("2026-01-02T03:07:00Z"));
        assert_eq!(advisory.aliases, [AdvisoryId("AL2/ALAS-2026-1".to_owned())]);
        assert_eq!(advisory.references, ["https://alas.aws.amazon.com/AL2/ALAS-2026-1.html"]);
        assert_eq!(advisory.ratings[0].severity(), crate::model::severity::Severity::High);
        let attributes: Vec<_> = advisory.affected.iter().map(|row| row.attributes.get(ARCH).map(String::as_str)).collect();
        assert_eq!(attributes, [Some("aarch64 x86_64"), None]);
    }

    #[test]
    fn only_security_matches_and_what_does_not_read_is_named() {
        let mut records = Records::default();
        let core = repository("2023", "core", "x86_64");
        let bugfix = |cves: Vec<String>| Update { kind: "bugfix".to_owned(), cves, ..update("ALAS2023-2026-2", Vec::new()) };
        records.add(&core, bugfix(vec!["CVE-PENDING".to_owned()]));
        assert!(records.by_id.is_empty() && records.unreadable.is_empty());
        records.add(&core, bugfix(vec!["CVE-2026-90001".to_owned(); 2]));
        assert_eq!(records.by_id["ALAS2023-2026-2"].cves.len(), 1);
        for (id, wrong) in [
            ("", build("a", "0", "1", "noarch")),
            ("A 1", build("a", "0", "1", "noarch")),
            ("A", build("", "0", "1", "noarch")),
            ("A", build("a", "x", "1", "noarch")),
            ("A", build("a", "0", "", "noarch")),
            ("A", build("a", "0", "1-1", "noarch")),
            ("A", build("a", "0", "1", "")),
        ] {
            let mut records = Records::default();
            records.add(&core, update(id, vec![wrong]));
            assert_eq!((records.by_id.len(), records.unreadable.len()), (0, 1), "{id}");
        }
    }

    #[test]
    fn the_site_has_its_own_ids() {
        for (id, release, expected) in [
            ("ALAS2-2018-939", "2", Some("AL2/ALAS-2018-939")),
            ("ALAS2023-2023-001", "2023", Some("AL2023/ALAS-2023-001")),
            ("ALASTOMCAT9-2025-016", "2", Some("AL2/ALASTOMCAT9-2025-016")),
            ("ALAS2TOMCAT9-2025-016", "2", Some("AL2/ALASTOMCAT9-2025-016")),
            ("ALAS-2018-1", "2018.03", Some("ALAS-2018-1")),
            ("OTHER-1", "2", None),
            ("ALAS2-../x", "2", None),
        ] {
            assert_eq!(site_id(id, release).as_deref(), expected, "{id}");
        }
    }

    #[test]
    fn dates_are_with_and_without_seconds() {
        for (text, expected) in [
            ("2018-01-16 01:28", Some("2018-01-16T01:28:00Z")),
            ("2018-01-16 01:28:09", Some("2018-01-16T01:28:09Z")),
            ("2018-01-16", Some("2018-01-16T00:00:00Z")),
            ("2018-01-16T01:28:00Z", Some("2018-01-16T01:28:00Z")),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(date(text).as_deref(), expected, "{text}");
        }
    }
}
