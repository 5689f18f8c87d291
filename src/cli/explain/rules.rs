//! What there is to say about the rules: of one as text, of one or all as JSON, of all as the page `.github/RULES.md`.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::model::{
    fix::FixKind,
    rule::{Group, RuleMeta},
};

/// The groups in the order of the page: what matters most comes first.
const GROUPS: &[(Group, &str)] = &[
    (Group::Security, "somebody gains something"),
    (Group::Correctness, "the build fails or does something else than it says"),
    (Group::Reproducibility, "the same file builds something else tomorrow"),
    (Group::Size, "the image is larger or builds slower than it must"),
    (Group::Style, "hard to read or keep"),
];

/// One rule in JSON.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    group: &'a str,
    severity: String,
    default: &'a str,
    summary: &'a str,
    aliases: &'a [&'a str],
    also: &'a [&'a str],
    needs: Vec<&'a str>,
    fix: Option<&'a str>,
    help: &'a str,
}

/// One rule for people.
pub(super) fn text(rule: &RuleMeta) -> String {
    let mut out = format!("{}  ({}, {})\n{}\n\n", rule.id, rule.group.name(), rule.severity, rule.summary);
    for (label, value) in facts(rule) {
        let _ = writeln!(out, "{label}: {value}");
    }
    let _ = writeln!(out, "\n{}", rule.help.trim_end());
    out
}

/// Rules as a JSON array.
pub(super) fn json(rules: &[&RuleMeta]) -> serde_json::Result<String> {
    let rows: Vec<Row<'_>> = rules.iter().map(|rule| row(rule)).collect();
    serde_json::to_string_pretty(&rows).map(|text| text + "\n")
}

/// Rules as a page of Markdown: a table for each group, then a section for each rule.
pub(super) fn markdown(rules: &[&RuleMeta]) -> String {
    let mut out = String::from("# Rules\n\n");
    let on = rules.iter().filter(|rule| rule.default_on).count();
    let _ = writeln!(
        out,
        "{} rules about Dockerfiles and images; {on} are on without configuration. `plimsoll explain ID` prints one, by its id or by that of another tool; \
         `plimsoll explain --format json` gives all of them to programs. This page is the output of `plimsoll explain --format markdown`.\n",
        rules.len(),
    );
    out.push_str(
        "A policy switches a rule on or off and says what it is worth: `rules: { set: { image-not-pinned: fail, cd-in-run: off } }`. \
         A rule whose needs are not met finds nothing and is not counted as passed.\n",
    );
    for (group, meaning) in GROUPS {
        let of_group: Vec<_> = rules.iter().filter(|rule| rule.group == *group).collect();
        if of_group.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {}\n\nOf this group: {meaning}.\n\n", capitalised(group.name()));
        out.push_str("| rule | severity | default | fix | what it finds | in other tools |\n|---|---|---|---|---|---|\n");
        for rule in of_group {
            let _ = writeln!(
                out,
                "| [{id}](#{id}) | {} | {} | {} | {} | {} |",
                rule.severity,
                default(rule),
                rule.fix.map_or("-", FixKind::name),
                rule.summary.replace('|', "\\|"),
                shortest_aliases(rule).join(", "),
                id = rule.id,
            );
        }
    }
    out.push_str("\n## Every rule\n");
    for rule in rules {
        let _ = write!(out, "\n### {}\n\n{}", rule.id, section(rule));
    }
    out
}

/// One rule as a page of Markdown.
pub(super) fn page(rule: &RuleMeta) -> String {
    format!("# {}\n\n{}", rule.id, section(rule))
}

/// What stands below a rule's heading in Markdown.
fn section(rule: &RuleMeta) -> String {
    let mut out = format!("{}\n\n", rule.summary);
    for (label, value) in facts(rule) {
        let _ = writeln!(out, "- {label}: {value}");
    }
    let _ = writeln!(out, "\n{}", rule.help.trim_end());
    out
}

fn row(rule: &RuleMeta) -> Row<'_> {
    Row {
        id: rule.id,
        group: rule.group.name(),
        severity: rule.severity.to_string(),
        default: default(rule),
        summary: rule.summary,
        aliases: rule.aliases,
        also: rule.also,
        needs: rule.needs.iter().map(|need| need.name()).collect(),
        fix: rule.fix.map(FixKind::name),
        help: rule.help,
    }
}

/// What holds of a rule, with labels; what there is nothing to say of is left out.
fn facts(rule: &RuleMeta) -> Vec<(&'static str, String)> {
    let needs: Vec<_> = rule.needs.iter().map(|need| need.name()).collect();
    let all = [
        ("group", rule.group.name().to_owned()),
        ("severity", rule.severity.to_string()),
        ("default", default(rule).to_owned()),
        ("needs", needs.join(", ")),
        ("fix", rule.fix.map_or("none", FixKind::name).to_owned()),
        ("also known as", rule.aliases.join(", ")),
        ("silenced as well by an in-file ignore of", rule.also.join(", ")),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

const fn default(rule: &RuleMeta) -> &'static str {
    if rule.default_on { "on" } else { "off" }
}

/// The aliases, of Trivy's three spellings only the one that it prints today.
fn shortest_aliases(rule: &RuleMeta) -> Vec<&'static str> {
    let mut by_number: BTreeMap<String, &'static str> = BTreeMap::new();
    for alias in rule.aliases {
        let plain = alias.strip_prefix("AVD-").unwrap_or(alias);
        let number = plain.strip_prefix("DS").and_then(|rest| rest.trim_start_matches('-').parse::<u32>().ok());
        let key = number.map_or_else(|| (*alias).to_owned(), |number| format!("DS-{number:04}"));
        let kept = by_number.entry(key).or_insert(alias);
        if alias.starts_with("DS-") {
            *kept = alias;
        }
    }
    by_number.into_values().collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
