//! `plimsoll explain ID`: a rule of Dockerfiles or images (by our id or a peer's), an advisory of the database, a reason code, a kind of gap, or a
//! finding of a written report.

mod finding;
mod rules;

use std::{io::Write as _, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{Failure, limits, options::default_database, output::print};
use crate::{
    advisory::Database,
    exit::ExitStatus,
    model::{
        advisory::{Advisory, Event, RangeScheme},
        policy::Worth,
        rule::RuleMeta,
    },
    pipeline,
    policy::codes,
    report::visible,
};

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll explain root-user\n  plimsoll explain DL3002\n  plimsoll explain CVE-2024-3094 --db ./db\n  plimsoll gate IMAGE -o json=report.json; plimsoll explain CVE-2024-3094 --report report.json\n  plimsoll explain unchecked.registry\n  plimsoll explain limits\n  plimsoll explain --format json\n  plimsoll explain --format markdown > RULES.md"
)]
pub(super) struct ExplainArgs {
    /// Rule id or a peer's id for it, advisory id, reason code, kind of gap, or `limits`. Without it: list everything that has an explanation.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Folder of the advisory database, for advisory ids.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// A JSON report (`-o json=FILE`; `-` for standard input): say why it has the finding ID (which name, version and range matched, and where), or the Gap or requirement of that name.
    #[arg(long, value_name = "FILE", requires = "id", conflicts_with = "db")]
    report: Option<PathBuf>,
    /// How a rule is printed, in Markdown also a code; `json` and `markdown` without ID print all rules.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT", conflicts_with_all = ["db", "report"])]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// An array of rules.
    Json,
    /// A page; of all rules with a table and a section for each.
    Markdown,
}

/// Explains the id.
pub(super) fn run(args: &ExplainArgs) -> Result<ExitStatus, Failure> {
    if args.format != Format::Text {
        return print_rules(args.id.as_deref(), args.format);
    }
    let Some(id) = &args.id else { return list() };
    if let Some(report) = &args.report {
        let text = finding::explain(id, report)?.ok_or_else(|| {
            Failure::new(format!("the report {} has no finding, Gap or requirement `{id}`", report.display()))
                .hint(format!("`plimsoll explain {id}` without --report says what is known of it"))
        })?;
        return print(text.as_bytes());
    }
    let text = if id == "limits" {
        limits::listed()
    } else if let Some(rule) = pipeline::rule(id) {
        rules::text(rule)
    } else if let Some((code, meaning)) = code(id) {
        format!("{code}\n\n{}", code_text(code, meaning))
    } else if let Some(text) = explain_advisory(id, args.db.clone())? {
        text
    } else {
        return Err(Failure::new(format!("nothing here is called `{id}`")).hint(
            "`plimsoll explain` alone lists rules and codes; an advisory is looked up in a database: `plimsoll explain ID --db DIR`, made by `plimsoll db build --from DUMPS`",
        ));
    };
    print(text.as_bytes())
}

/// What a code means, and what a policy can make of it.
fn code_text(code: &str, meaning: &str) -> String {
    let lowered = codes::LOWERED.iter().find(|(kind, _)| *kind == code);
    let accept = match lowered {
        Some((_, worth)) => {
            let what = if *worth == Worth::Warn { "warns" } else { "is shown" };
            format!("\nBy default it {what} only; a policy makes it stop the gate: `evidence: {{ gaps: {{ {code}: fail }} }}`.\n")
        }
        None if codes::is_gap(code) => format!(
            "\nIt stops the gate until the policy says otherwise: `evidence: {{ gaps: {{ {code}: warn }} }}`, or `ignore`; of one source alone, with its name: `SOURCE.{code}: warn`.\n"
        ),
        None => String::new(),
    };
    format!("{meaning}\n{accept}")
}

fn list() -> Result<ExitStatus, Failure> {
    let mut text = Vec::new();
    let _ = writeln!(text, "Rules of Dockerfiles and images:");
    for rule in pipeline::rules() {
        let _ = writeln!(text, "  {:<32} {:<10} {}", rule.id, rule.severity, rule.summary);
    }
    let _ = writeln!(text, "\nReason codes and kinds of gap:");
    for (code, meaning) in codes::CODES {
        let _ = writeln!(text, "  {code:<32} {}", meaning.split(". ").next().unwrap_or(meaning));
    }
    let _ = writeln!(text, "\nAlso: limits, what is read of an image at most");
    print(&text)
}

/// Prints one rule or all of them for programs or as a page; of codes there are pages alone.
fn print_rules(id: Option<&str>, format: Format) -> Result<ExitStatus, Failure> {
    let unknown = |id: &str, what: &str| {
        Failure::new(format!("no {what} is called `{id}`"))
            .hint("nothing else is printed in this format: `plimsoll explain` lists what there is")
    };
    let json = |rules: &[&RuleMeta]| rules::json(rules).map_err(|error| Failure::new(format!("cannot write the rules: {error}")));
    let text = match (format, id) {
        (Format::Markdown, None) => rules::markdown(&pipeline::rules()),
        (Format::Markdown, Some(id)) => page(id).ok_or_else(|| unknown(id, "rule, code or kind of gap"))?,
        (Format::Text | Format::Json, None) => json(&pipeline::rules())?,
        (Format::Text | Format::Json, Some(id)) => json(&[pipeline::rule(id).ok_or_else(|| unknown(id, "rule"))?])?,
    };
    print(text.as_bytes())
}

/// A page about one rule or code.
fn page(id: &str) -> Option<String> {
    let of_code = || code(id).map(|(code, meaning)| format!("# {code}\n\n{}", code_text(code, meaning)));
    pipeline::rule(id).map(rules::page).or_else(of_code)
}

/// A code and its meaning; a kind of gap also as SARIF names it.
fn code(id: &str) -> Option<(&'static str, &'static str)> {
    codes::find(id.strip_prefix("gap-").unwrap_or(id))
}

fn explain_advisory(id: &str, folder: Option<PathBuf>) -> Result<Option<String>, Failure> {
    let named = folder.is_some();
    let Some(folder) = folder.or_else(default_database).filter(|folder| named || folder.is_dir()) else { return Ok(None) };
    let records = Database::open(&folder)?.find(id)?;
    if records.is_empty() {
        return Ok(None);
    }
    let texts: Vec<_> = records.iter().map(describe).collect();
    Ok(Some(texts.join("\n").lines().map(|line| format!("{}\n", visible(line))).collect()))
}

fn describe(advisory: &Advisory) -> String {
    let mut text = format!("{}\n{}\n", advisory.id.0, advisory.summary);
    let ids = |ids: &[crate::model::advisory::AdvisoryId]| ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(", ");
    for (label, value) in [
        ("aliases", ids(&advisory.aliases)),
        ("upstream", ids(&advisory.upstream)),
        ("published", advisory.published.clone().unwrap_or_default()),
        ("withdrawn", advisory.withdrawn.clone().map(|time| format!("{time}: matches nothing")).unwrap_or_default()),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{label}: {value}\n"));
        }
    }
    for rating in &advisory.ratings {
        text.push_str(&format!(
            "rated: {} by {}{}\n",
            rating.severity(),
            rating.author.name(),
            rating.vector.as_ref().map(|v| format!(" ({v})")).unwrap_or_default()
        ));
    }
    for affected in &advisory.affected {
        text.push_str(&format!("affects {} {}\n", affected.ecosystem, affected.name));
        for range in &affected.ranges {
            if range.scheme == RangeScheme::Git {
                continue;
            }
            let events: Vec<_> = range
                .events
                .iter()
                .map(|event| match event {
                    Event::Introduced(version) => format!("from {version}"),
                    Event::Fixed(version) => format!("fixed in {version}"),
                    Event::LastAffected(version) => format!("up to {version}"),
                    Event::Limit(version) => format!("below {version}"),
                    Event::Unknown(key) => format!("unknown event {key}"),
                })
                .collect();
            text.push_str(&format!("  {}\n", events.join(", ")));
        }
        if !affected.versions.is_empty() {
            text.push_str(&format!("  {} versions listed one by one\n", affected.versions.len()));
        }
    }
    for reference in &advisory.references {
        text.push_str(&format!("see {reference}\n"));
    }
    text
}
