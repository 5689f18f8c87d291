//! Scan report in, SARIF 2.1.0 out (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), within the limits that
//! GitHub's code scanning sets: one run for each image and platform, one for the Dockerfiles.

mod location;
mod results;
mod rules;
mod subject;
mod uri;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde_json::{Value, json};
use serde_sarif::sarif;

use crate::{
    model::{
        report::ScanReport,
        verdict::{Effect, JudgedGap},
    },
    report::{Reporter, Show, Style, count::Counts, escape},
};

use self::{
    results::{Baseline, Ordinals},
    rules::{Help, RuleTable, level_word},
    subject::{Noted, Subject},
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// GitHub shows 5,000 results of a run, and not the worst ones.
const RESULTS: usize = 5_000;
const NOTIFICATIONS: usize = 1_000;
/// GitHub takes 20 runs of a file; one is the Dockerfiles'.
const IMAGES: usize = 19;
/// GitHub takes 10 MB of gzip; even text that hardly shrinks stays below that at this size.
const LARGEST: usize = 24 << 20;
const PROSE: usize = 300;

/// `--output sarif`: everything that was judged; what was suppressed or accepted says so. `--show all` adds the noted findings.
#[derive(Debug, Clone, Copy)]
pub struct Sarif;

/// `--output sarif-github`: as [`Sarif`], without suppressed and accepted results, because GitHub would show them as open.
/// How many there are stands in the run's properties.
#[derive(Debug, Clone, Copy)]
pub struct SarifGithub;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    Complete,
    Github,
}

impl Reporter for Sarif {
    fn id(&self) -> &'static str {
        "sarif"
    }

    fn write(&self, reports: &[ScanReport], style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        write(reports, style, Profile::Complete, out)
    }
}

impl Reporter for SarifGithub {
    fn id(&self) -> &'static str {
        "sarif-github"
    }

    fn write(&self, reports: &[ScanReport], style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        write(reports, style, Profile::Github, out)
    }
}

fn write(reports: &[ScanReport], style: &Style, profile: Profile, out: &mut dyn io::Write) -> io::Result<()> {
    let noted = if style.show == Show::All { Noted::Shown } else { Noted::LeftOut };
    let mut bytes = Vec::new();
    // Every text, list and path is bounded, so that the last attempt fits whatever the report holds.
    for (limit, help) in
        [(RESULTS, Help::Long), (RESULTS, Help::Short), (RESULTS / 2, Help::Short), (RESULTS / 8, Help::Short), (RESULTS / 64, Help::Short)]
    {
        let mut bounded = Bounded(Vec::new());
        let fits = escape::write_json(&log(reports, noted, profile, limit / reports.len().max(1), help), &mut bounded).is_ok();
        bytes = bounded.0;
        if fits {
            break;
        }
    }
    out.write_all(&bytes)
}

/// Takes at most `LARGEST` bytes, so that an attempt that is too large ends early.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log(reports: &[ScanReport], noted: Noted, profile: Profile, limit: usize, help: Help) -> sarif::Sarif {
    let mut runs = Vec::new();
    let mut of_dockerfiles: Option<(&ScanReport, Vec<Subject<'_>>)> = None;
    // The worst first, so that those beyond the limit are the least bad.
    let mut shown: Vec<&ScanReport> = reports.iter().collect();
    if shown.len() > IMAGES {
        shown.sort_by_key(|report| Reverse(report.verdict.outcome));
        shown.truncate(IMAGES);
    }
    for report in shown {
        let (dockerfile, image): (Vec<_>, Vec<_>) = Subject::all(report, noted).into_iter().partition(Subject::is_dockerfile);
        let has_dockerfile_run = !report.dockerfiles.is_empty() || !dockerfile.is_empty();
        // Whatever belongs to neither stands in the image's run, so that one exists unless there are Dockerfiles and nothing else.
        if report.image.is_some() || !has_dockerfile_run || !image.is_empty() {
            runs.push(run(report, &image, profile, limit, help, Part::Image { with_gaps_of_dockerfiles: !has_dockerfile_run }));
        }
        // The Dockerfiles are the same for every platform; at most a finding is settled by what one image is. The platform with the most stands for all.
        let most = of_dockerfiles.as_ref().map_or(0, |(_, subjects)| subjects.len());
        if has_dockerfile_run && (of_dockerfiles.is_none() || dockerfile.len() > most) {
            of_dockerfiles = Some((report, dockerfile));
        }
    }
    if let Some((report, dockerfile)) = of_dockerfiles {
        let alone = runs.is_empty();
        runs.push(run(report, &dockerfile, profile, limit, help, Part::Dockerfiles { with_all_gaps: alone }));
    }
    settle(&mut runs, reports.len().saturating_sub(IMAGES));
    sarif::Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(runs).build()
}

/// Gives every run a category of its own, which two images of one platform do not have by themselves, and says how many images have none.
fn settle(runs: &mut [sarif::Run], left_out: usize) {
    let mut known = BTreeSet::new();
    for (at, run) in runs.iter_mut().enumerate() {
        if let Some(id) = run.automation_details.as_mut().and_then(|details| details.id.as_mut())
            && !known.insert(id.clone())
        {
            id.push_str(&format!("{at}/"));
        }
    }
    if left_out > 0
        && let Some(invocations) = runs.first_mut().and_then(|run| run.invocations.as_mut())
    {
        let text = format!("{left_out} more images, none with a worse verdict, are in the JSON report");
        let mut more = sarif::Notification::builder().message(location::message(&text)).build();
        more.level = Some(json!("warning"));
        invocations.iter_mut().for_each(|invocation| invocation.tool_execution_notifications.get_or_insert_default().push(more.clone()));
    }
}

/// Which run it is.
#[derive(Debug, Clone, Copy)]
enum Part {
    Image { with_gaps_of_dockerfiles: bool },
    Dockerfiles { with_all_gaps: bool },
}

fn run(report: &ScanReport, subjects: &[Subject<'_>], profile: Profile, limit: usize, help: Help, part: Part) -> sarif::Run {
    let hidden = |subject: &&Subject<'_>| matches!(subject.effect(), Effect::Accepted | Effect::Suppressed);
    let suppressed = subjects.iter().filter(hidden).count();
    let mut kept: Vec<_> = subjects.iter().filter(|subject| profile == Profile::Complete || !hidden(subject)).copied().collect();
    let left_out = if kept.len() > limit { kept.len() - limit + 1 } else { 0 };
    kept.truncate(kept.len() - left_out);
    let baseline =
        if report.verdict.findings.iter().any(|judged| judged.decision.effect == Effect::Known) { Baseline::Given } else { Baseline::None };

    let mut rules = RuleTable::of(&kept, help);
    let mut ordinals = Ordinals::new();
    let mut results: Vec<_> = kept.iter().map(|subject| results::result(subject, report, &rules, &mut ordinals, baseline)).collect();
    if left_out > 0 {
        rules.add("results-truncated".to_owned(), rules::truncated());
        results.push(results::truncated(left_out, report, &rules));
    }

    let mut driver = sarif::ToolComponent::builder()
        .name("Plimsoll")
        .version(report.tool_version)
        .semantic_version(report.tool_version)
        .rules(rules.rules)
        .build();
    // An address that leads nowhere helps nobody: without a `repository` in the manifest there is none.
    driver.information_uri = Some(env!("CARGO_PKG_REPOSITORY").to_owned()).filter(|uri| !uri.is_empty());
    let (notifications, kinds) = notifications(report, part);
    if !kinds.is_empty() {
        driver.notifications = Some(kinds);
    }
    let mut invocation = sarif::Invocation::builder().execution_successful(true).build();
    invocation.exit_code = Some(i64::from(report.exit_code));
    invocation.start_time_utc = Some(report.evaluated_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
    invocation.tool_execution_notifications = Some(notifications).filter(|notifications| !notifications.is_empty());

    let id = match part {
        Part::Image { .. } => uri::image_category(report),
        Part::Dockerfiles { .. } => uri::dockerfile_category(report),
    };
    let root =
        sarif::ArtifactLocation::builder().description(sarif::Message::builder().text("The root of the repository.").build()).build();
    let mut run = sarif::Run::builder().tool(sarif::Tool::builder().driver(driver).build()).results(results).build();
    run.automation_details = Some(sarif::RunAutomationDetails::builder().id(id).build());
    run.column_kind = Some(json!("unicodeCodePoints"));
    run.original_uri_base_ids = Some(BTreeMap::from([("%SRCROOT%".to_owned(), root)]));
    run.invocations = Some(vec![invocation]);
    run.properties = Some(sarif::PropertyBag::builder().additional_properties(properties(report, suppressed, left_out)).build());
    run
}

fn properties(report: &ScanReport, suppressed: usize, left_out: usize) -> BTreeMap<String, Value> {
    let counts = Counts::of(report);
    let mut properties = BTreeMap::from([
        ("outcome".to_owned(), json!(report.verdict.outcome.name().to_ascii_lowercase())),
        ("policy".to_owned(), json!(format!("{} {}", report.policy.name, report.policy.digest))),
        ("violations".to_owned(), json!(counts.violations())),
        ("warnings".to_owned(), json!(counts.warnings())),
        ("gaps".to_owned(), json!(counts.gaps)),
        ("suppressedResults".to_owned(), json!(suppressed)),
        ("truncatedResults".to_owned(), json!(left_out)),
    ]);
    if let Some(image) = &report.image {
        properties.insert("image".to_owned(), json!(image.reference.to_string()));
        properties.insert("digest".to_owned(), json!(image.digest().to_string()));
    }
    properties
}

/// Every Gap of this part of the report as a notification, with the descriptors that name their kinds.
fn notifications(report: &ScanReport, part: Part) -> (Vec<sarif::Notification>, Vec<sarif::ReportingDescriptor>) {
    let wanted = |judged: &&JudgedGap| {
        let of_dockerfile = Subject::Gap(judged).is_dockerfile();
        match part {
            Part::Image { with_gaps_of_dockerfiles } => !of_dockerfile || with_gaps_of_dockerfiles,
            Part::Dockerfiles { with_all_gaps } => of_dockerfile || with_all_gaps,
        }
    };
    let mut gaps: Vec<_> = report.verdict.gaps.iter().filter(wanted).collect();
    gaps.sort_by(|a, b| (a.decision.effect, &a.gap).cmp(&(b.decision.effect, &b.gap)));
    let kinds: BTreeMap<String, i64> =
        gaps.iter().map(|judged| format!("gap-{}", judged.gap.kind)).collect::<BTreeSet<_>>().into_iter().zip(0..).collect();
    let mut notifications: Vec<_> = gaps.iter().take(NOTIFICATIONS).map(|judged| notification(judged, &kinds)).collect();
    if gaps.len() > NOTIFICATIONS {
        let mut more = sarif::Notification::builder()
            .message(location::message(&format!("{} more gaps are in the JSON report", gaps.len() - NOTIFICATIONS)))
            .build();
        more.level = Some(json!("warning"));
        notifications.push(more);
    }
    let descriptors = kinds
        .keys()
        .map(|id| {
            let text = format!("Something was not looked at: {}.", id.strip_prefix("gap-").unwrap_or(id));
            let text = sarif::MultiformatMessageString::builder().text(text).build();
            sarif::ReportingDescriptor::builder().id(id).name("Gap").short_description(text).build()
        })
        .collect();
    (notifications, descriptors)
}

fn notification(judged: &JudgedGap, kinds: &BTreeMap<String, i64>) -> sarif::Notification {
    let gap = &judged.gap;
    let subject = if gap.subject.is_empty() { String::new() } else { format!(" ({})", escape::shortened(&gap.subject, PROSE)) };
    let hint = gap.hint.as_ref().map(|hint| format!(" (hint: {})", escape::shortened(hint, PROSE))).unwrap_or_default();
    let text = format!("{} was not looked at{subject}: {}{hint}", gap.source, escape::shortened(&gap.reason, PROSE));
    let id = format!("gap-{}", gap.kind);
    let mut descriptor = sarif::ReportingDescriptorReference::builder().id(&id).build();
    descriptor.index = kinds.get(&id).copied();
    let mut notification = sarif::Notification::builder().message(location::message(&text)).build();
    notification.level = Some(json!(level_word(judged.decision.effect)));
    notification.descriptor = Some(descriptor);
    notification
}
