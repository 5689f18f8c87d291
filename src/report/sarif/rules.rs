//! Subjects in, SARIF rules out: one per rule id, with what there is to say about it and the class that GitHub shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use serde_sarif::sarif;

use crate::{
    model::{
        evidence::MatchKind,
        finding::FindingKind,
        package::PackageKind,
        rule::Group,
        severity::Severity,
        verdict::{Effect, JudgedFinding},
    },
    report::escape,
};

use super::{location::sentence, subject::Subject};

/// GitHub shows ten.
const TAGS: usize = 10;
/// Packages named in a rule's help.
const PACKAGES: usize = 20;
const TITLE: usize = 300;
const ID: usize = 200;

/// Whether rules carry their long help; it goes first when a file is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Help {
    Long,
    Short,
}

/// The rules of one run and the place of each id.
pub(super) struct RuleTable {
    pub(super) rules: Vec<sarif::ReportingDescriptor>,
    places: BTreeMap<String, i64>,
}

impl RuleTable {
    pub(super) fn of(subjects: &[Subject<'_>], help: Help) -> Self {
        let mut by_id: BTreeMap<String, Vec<&Subject<'_>>> = BTreeMap::new();
        for subject in subjects {
            by_id.entry(subject.rule_id()).or_default().push(subject);
        }
        let mut table = Self { rules: Vec::new(), places: BTreeMap::new() };
        for (id, subjects) in by_id {
            table.add(id.clone(), descriptor(&id, &subjects, help));
        }
        table
    }

    /// Adds one rule that no subject stands for.
    pub(super) fn add(&mut self, id: String, rule: sarif::ReportingDescriptor) {
        self.places.insert(id, i64::try_from(self.rules.len()).unwrap_or(i64::MAX));
        self.rules.push(rule);
    }

    /// The index of a rule.
    pub(super) fn place(&self, id: &str) -> Option<i64> {
        self.places.get(id).copied()
    }
}

/// The level of a result with this effect.
pub(super) const fn level(effect: Effect) -> sarif::ResultLevel {
    match effect {
        Effect::Violation => sarif::ResultLevel::Error,
        Effect::Warning => sarif::ResultLevel::Warning,
        Effect::Noted | Effect::Accepted | Effect::Suppressed | Effect::Known => sarif::ResultLevel::Note,
    }
}

/// The word for that level.
pub(super) const fn level_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Violation => "error",
        Effect::Warning => "warning",
        Effect::Noted | Effect::Accepted | Effect::Suppressed | Effect::Known => "note",
    }
}

/// What a rule says about itself.
struct Facts {
    name: String,
    short: String,
    full: String,
    help_text: String,
    help_markdown: String,
    link: Option<String>,
    tags: Vec<String>,
    precision: &'static str,
    security: Option<Severity>,
}

fn descriptor(id: &str, subjects: &[&Subject<'_>], help: Help) -> sarif::ReportingDescriptor {
    let worst = subjects.iter().map(|subject| subject.effect()).min().unwrap_or(Effect::Noted);
    let facts = match subjects.first() {
        Some(Subject::Requirement(requirement)) => requirement_facts(id, &requirement.asks),
        Some(Subject::Gap(judged)) => gap_facts(id, judged.gap.hint.as_deref()),
        Some(Subject::Finding(first)) => {
            let findings: Vec<_> =
                subjects.iter().filter_map(|subject| if let Subject::Finding(judged) = subject { Some(*judged) } else { None }).collect();
            finding_facts(first, &findings)
        }
        None => gap_facts(id, None),
    };
    build(id, facts, level_word(worst), help)
}

/// The rule of the result that says how many results a limit cut.
pub(super) fn truncated() -> sarif::ReportingDescriptor {
    let facts = Facts {
        name: "ResultsTruncated".to_owned(),
        short: "Results were left out to keep this file within its limits".to_owned(),
        full: "The worst results are in this file; the JSON report of the same run holds all".to_owned(),
        help_text: "Write the JSON report of the same run with --output json=FILE; it holds every finding.".to_owned(),
        help_markdown: "Write the JSON report of the same run with `--output json=FILE`; it holds every finding.".to_owned(),
        link: None,
        tags: vec!["limit".to_owned()],
        precision: "very-high",
        security: None,
    };
    build("results-truncated", facts, "warning", Help::Long)
}

fn build(id: &str, facts: Facts, level: &str, help: Help) -> sarif::ReportingDescriptor {
    let text = |text: &str| sarif::MultiformatMessageString::builder().text(sentence(text)).build();
    let id = escape::visible(&escape::shortened(id, ID)).into_owned();
    let mut rule = sarif::ReportingDescriptor::builder()
        .id(id)
        .name(facts.name)
        .short_description(text(&facts.short))
        .full_description(text(&facts.full))
        .build();
    let short_help = || sarif::MultiformatMessageString::builder().text("Run plimsoll explain with the id of this rule.").build();
    rule.help = Some(match help {
        Help::Long => sarif::MultiformatMessageString::builder().text(facts.help_text).markdown(facts.help_markdown).build(),
        Help::Short => short_help(),
    });
    rule.help_uri = facts.link;
    rule.default_configuration = Some(sarif::ReportingConfiguration::builder().level(Value::from(level)).build());
    let mut extra = BTreeMap::from([("precision".to_owned(), json!(facts.precision))]);
    if let Some(severity) = facts.security {
        extra.insert("security-severity".to_owned(), json!(security_severity(severity)));
    }
    let mut tags = facts.tags;
    tags.truncate(TAGS);
    rule.properties = Some(sarif::PropertyBag::builder().tags(tags).additional_properties(extra).build());
    rule
}

/// The number for which GitHub shows the class that we judged. Nobody's rating counts as the default policy counts it.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium | Severity::Unknown => "5.5",
        Severity::Low => "2.0",
        Severity::Negligible => "0.1",
    }
}

fn requirement_facts(code: &str, asks: &str) -> Facts {
    Facts {
        name: "PolicyRequirement".to_owned(),
        short: format!("A requirement of the policy is not met: {code}"),
        full: format!("The policy asks for this, and the image does not have it: {}", escape::shortened(asks, TITLE)),
        help_text: format!("Run plimsoll explain {code} for what the code means and what to do."),
        help_markdown: format!("Run `plimsoll explain {code}` for what the code means and what to do."),
        link: None,
        tags: vec!["security".to_owned(), "requirement".to_owned()],
        precision: "very-high",
        security: Some(Severity::High),
    }
}

fn gap_facts(id: &str, hint: Option<&str>) -> Facts {
    let kind = id.strip_prefix("gap-").unwrap_or(id);
    let hint = hint.map(|hint| format!(" {}", sentence(&escape::shortened(hint, TITLE)))).unwrap_or_default();
    Facts {
        name: "Gap".to_owned(),
        short: format!("Something was not looked at: {kind}"),
        full: "What could not be looked at is never counted as clean; this stops the gate with exit code 3".to_owned(),
        help_text: format!("Run plimsoll explain {kind} for what the kind means.{hint}"),
        help_markdown: format!("Run `plimsoll explain {kind}` for what the kind means.{}", escape::markdown(&hint)),
        link: None,
        tags: vec!["gap".to_owned()],
        precision: "very-high",
        security: None,
    }
}

fn finding_facts(first: &JudgedFinding, all: &[&JudgedFinding]) -> Facts {
    // Only what is shown as open decides the class that GitHub shows, if anything is open.
    let hidden = |judged: &JudgedFinding| matches!(judged.decision.effect, Effect::Accepted | Effect::Suppressed);
    let open: Vec<_> = all.iter().filter(|judged| !hidden(judged)).collect();
    let highest = |found: &mut dyn Iterator<Item = Severity>| found.min_by_key(|severity| severity.report_order());
    let severity =
        highest(&mut open.iter().map(|judged| judged.severity)).or_else(|| highest(&mut all.iter().map(|judged| judged.severity)));
    match first.finding.kind {
        FindingKind::Rule(meta) => {
            let security = (meta.group == Group::Security).then_some(severity).flatten();
            let mut tags = Vec::new();
            if security.is_some() {
                tags.push("security".to_owned());
            }
            tags.push(if meta.group == Group::Security { "rule" } else { meta.group.name() }.to_owned());
            tags.extend(meta.aliases.iter().take(4).map(|&alias| alias.to_owned()));
            Facts {
                name: pascal(meta.id),
                short: meta.summary.to_owned(),
                full: meta.summary.to_owned(),
                help_text: format!("{}\n\n{}\n\n{}", meta.summary, meta.help, except(meta.id)),
                help_markdown: format!("{}\n\n{}\n\n{}", meta.summary, meta.help, escape::markdown(&except(meta.id))),
                link: None,
                tags,
                precision: "high",
                security,
            }
        }
        FindingKind::Exception => Facts {
            name: "PolicyException".to_owned(),
            short: "An exception of the policy has a fault".to_owned(),
            full: "An exception of the policy has a fault, so that it does not let its finding pass".to_owned(),
            help_text: "Renew, mend or remove the exception in the policy file.".to_owned(),
            help_markdown: "Renew, mend or remove the exception in the policy file.".to_owned(),
            link: None,
            tags: vec!["policy".to_owned()],
            precision: "very-high",
            security: None,
        },
        FindingKind::Vulnerability => vulnerability_facts(first, all, severity),
    }
}

fn vulnerability_facts(first: &JudgedFinding, all: &[&JudgedFinding], severity: Option<Severity>) -> Facts {
    let finding = &first.finding;
    let id = escape::shortened(&finding.id, ID);
    let title = escape::visible(&escape::shortened(&finding.title, TITLE)).into_owned();
    let mut tags: BTreeSet<String> = BTreeSet::new();
    let mut lines = BTreeSet::new();
    let mut said = BTreeSet::new();
    for judged in all {
        let finding = &judged.finding;
        if let Some(package) = &finding.package {
            tags.extend(package.kind.map(PackageKind::purl_type).map(str::to_owned));
            let fixed = if finding.fixed.is_empty() {
                "no fixed version is known".to_owned()
            } else {
                format!("fixed in {}", finding.fixed.join(", "))
            };
            lines.insert(format!("{} {}: {fixed}", package.name, package.version));
        }
        for rating in &finding.ratings {
            said.insert(format!("{} says {}", rating.author.name(), rating.severity().name()));
        }
    }
    let kev = all.iter().any(|judged| judged.finding.kev);
    let unknown = severity == Some(Severity::Unknown);
    let unlocated = all.iter().all(|judged| {
        !judged.finding.evidence.is_empty() && judged.finding.evidence.iter().all(|evidence| evidence.matched == MatchKind::Unlocated)
    });
    let fixed_tags = ["security", "vulnerability"]
        .into_iter()
        .chain(kev.then_some("kev"))
        .chain(unknown.then_some("severity-unknown"))
        .map(str::to_owned);
    let tags = fixed_tags.chain(tags).collect();
    let more = lines.len().saturating_sub(PACKAGES);
    let mut lines: Vec<_> = lines.into_iter().take(PACKAGES).map(|line| escape::shortened(&line, TITLE).into_owned()).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let said = said.into_iter().collect::<Vec<_>>().join(", ");
    let except = except(&id);
    let mut paragraphs = vec![title.clone()];
    if kev {
        paragraphs.push("It is known to be exploited (CISA KEV).".to_owned());
    }
    if !said.is_empty() {
        paragraphs.push(sentence(&said));
    }
    paragraphs.push(except);
    let list = |line: &String| format!("- {}", escape::visible(line));
    let list_markdown = |line: &String| format!("- {}", escape::markdown(line));
    let help_text = format!("{}\n\n{}", paragraphs.join("\n\n"), lines.iter().map(list).collect::<Vec<_>>().join("\n"));
    let help_markdown = format!(
        "{}\n\n{}",
        paragraphs.iter().map(|paragraph| escape::markdown(paragraph)).collect::<Vec<_>>().join("\n\n"),
        lines.iter().map(list_markdown).collect::<Vec<_>>().join("\n")
    );
    Facts {
        name: "VulnerablePackage".to_owned(),
        short: format!("{id}: {title}"),
        full: format!("{id}: {title}"),
        help_text,
        help_markdown,
        link: link(first),
        tags,
        precision: if unlocated { "medium" } else { "high" },
        security: severity,
    }
}

fn except(id: &str) -> String {
    format!("To let it pass, add an exception with id {}, a reason, an owner and a last day to the policy.", escape::visible(id))
}

/// The link of a source, else the well-known page of the id.
fn link(judged: &JudgedFinding) -> Option<String> {
    let finding = &judged.finding;
    let good = |link: &&str| {
        (link.starts_with("https://") || link.starts_with("http://"))
            && link.len() < 500
            && link.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
    };
    let given = finding.evidence.iter().filter_map(|evidence| evidence.link.as_deref()).filter(good).min().map(str::to_owned);
    let plain = finding.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    given.filter(|link| url::Url::parse(link).is_ok()).or_else(|| match finding.id.split_once('-') {
        Some(("CVE", _)) if plain => Some(format!("https://nvd.nist.gov/vuln/detail/{}", finding.id)),
        Some(("GHSA", _)) if plain => Some(format!("https://github.com/advisories/{}", finding.id)),
        _ => None,
    })
}

/// `root-user` as `RootUser`.
fn pascal(id: &str) -> String {
    id.split('-')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
        })
        .collect()
}
