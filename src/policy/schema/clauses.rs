//! `findings` and `rules`: clauses and selections of a policy file.

use std::collections::BTreeSet;

use crate::{
    model::{
        origin::Side,
        policy::{Clause, FixCondition, InlineIgnores, PackageClass, RuleSelection, RuleSetting},
        rule::Group,
        severity::Severity,
    },
    policy::{
        Error,
        fields::{
            Fields, Keys, boolean, count_comparison, days, list, map, number, one_or_many, probability_comparison, severity_comparison,
            text, unknown, word,
        },
        pattern,
        yaml::Node,
    },
};

use super::{Document, Placed, placed, source};

const CLAUSE: Keys = Keys {
    known: &["id", "severity", "fix", "kev", "epss", "source", "sources", "package", "finding", "kind", "origin"],
    later: &[
        "fix_age",
        "published_age",
        "cvss",
        "epss_percentile",
        "exploit",
        "state",
        "path",
        "layer",
        "stage",
        "platform",
        "cause",
        "group",
        "rule",
    ],
};

const GROUPS: [(&str, Group); 5] = [
    ("security", Group::Security),
    ("correctness", Group::Correctness),
    ("reproducibility", Group::Reproducibility),
    ("size", Group::Size),
    ("style", Group::Style),
];

/// Reads `findings`.
pub(super) fn read_findings(node: &Node, document: &mut Document) -> Result<(), Error> {
    let fields = Fields::of(node, "`findings`", &Keys { known: &["fail", "warn", "at_most"], later: &[] })?;
    let mut seen = BTreeSet::new();
    for (key, clauses) in [("fail", &mut document.fail), ("warn", &mut document.warn)] {
        for node in fields.get(key)?.map_or(Ok([].as_slice()), list)? {
            let clause = clause(node)?;
            if !clause.id.is_empty() && !seen.insert(clause.id.clone()) {
                return Err(Error::at(node.place.clone(), format!("two clauses are called `{}`", clause.id)));
            }
            clauses.push(clause);
        }
    }
    let Some(node) = fields.get("at_most")? else { return Ok(()) };
    for (key, name, value) in map(node, "`at_most`")? {
        let severity = Severity::ALL.into_iter().find(|severity| severity.name() == name && *severity != Severity::Unknown);
        let known = Severity::ALL.into_iter().filter(|severity| *severity != Severity::Unknown).map(Severity::name);
        let severity = severity.ok_or_else(|| unknown(&key.place, &format!("`{name}` is no severity"), name, known))?;
        document.at_most.insert(severity.name(), Placed { value: number(value, 1_000_000)?, place: key.place.clone() });
    }
    Ok(())
}

/// Reads `rules`.
pub(super) fn read_rules(node: &Node, document: &mut Document) -> Result<(), Error> {
    let fields = Fields::of(node, "`rules`", &Keys { known: &["fail", "warn", "set", "settings", "inline_ignores"], later: &[] })?;
    document.rules_fail = fields.read_list("fail", selection)?;
    document.rules_warn = fields.read_list("warn", selection)?;
    if let Some(node) = fields.get("set")? {
        let settings = [("fail", RuleSetting::Fail), ("warn", RuleSetting::Warn), ("note", RuleSetting::Note), ("off", RuleSetting::Off)];
        for (key, name, value) in map(node, "`set`")? {
            if !is_id(name) {
                return Err(Error::at(key.place.clone(), format!("`{name}` is no rule id")));
            }
            document.rules_set.insert(name.clone(), placed(value, word(value, "setting", &settings)?)?);
        }
    }
    if let Some(node) = fields.get("settings")? {
        document.settings = super::settings::read(node)?;
    }
    if let Some(node) = fields.get("inline_ignores")? {
        let says = [("allow", InlineIgnores::Allow), ("with-reason", InlineIgnores::WithReason), ("refuse", InlineIgnores::Refuse)];
        for (key, name, value) in map(node, "`inline_ignores`")? {
            if name == "until_max" {
                document.ignores_until_max = Some(placed(value, days(value)?)?);
                continue;
            }
            let group = GROUPS.iter().find_map(|(word, group)| (word == name).then_some(*group));
            let group = group.ok_or_else(|| {
                let known = GROUPS.iter().map(|(word, _)| *word).chain(["until_max"]);
                unknown(&key.place, &format!("`{name}` is no group of rules"), name, known)
            })?;
            document.inline_ignores.insert(group, placed(value, word(value, "say on in-file ignores", &says)?)?);
        }
    }
    Ok(())
}

fn clause(node: &Node) -> Result<Clause, Error> {
    let fields = Fields::of(node, "a clause", &CLAUSE)?;
    let fixes = [("available", FixCondition::Available), ("none", FixCondition::None), ("any", FixCondition::Any)];
    let kinds = [("os", PackageClass::Os), ("language", PackageClass::Language), ("binary", PackageClass::Binary)];
    let clause = Clause {
        id: fields.read("id", id)?.unwrap_or_default(),
        severity: fields.read("severity", severity_comparison)?,
        fix: fields.read("fix", |node| word(node, "fix condition", &fixes))?,
        kev: fields.read("kev", boolean)?,
        epss_millionths: fields.read("epss", probability_comparison)?,
        source: fields.read("source", |node| one_or_many(node, source))?.into_iter().flatten().flatten().copied().collect(),
        sources: fields.read("sources", count_comparison)?,
        package: fields.read("package", pattern::package)?,
        finding: fields.read("finding", text)?,
        origin: fields.read("origin", |node| word(node, "origin", &[("base", Side::Base), ("own", Side::Own)]))?,
        kind: fields.read("kind", |node| one_or_many(node, |node| word(node, "kind of package", &kinds)))?.into_iter().flatten().collect(),
    };
    let empty = Clause { id: clause.id.clone(), ..crate::policy::clause::ANY };
    if clause == empty {
        return Err(
            Error::at(node.place.clone(), "a clause without conditions fits every finding").advise("say so: severity: \">= negligible\"")
        );
    }
    Ok(clause)
}

fn selection(node: &Node) -> Result<RuleSelection, Error> {
    let fields = Fields::of(node, "a selection of rules", &Keys { known: &["group", "severity", "origin"], later: &[] })?;
    let groups = fields.read("group", |node| one_or_many(node, |node| word(node, "group of rules", &GROUPS)))?;
    let severity = fields.read("severity", severity_comparison)?;
    let origin = fields.read("origin", |node| word(node, "origin", &[("base", Side::Base), ("own", Side::Own)]))?;
    if groups.is_none() && severity.is_none() {
        return Err(Error::at(node.place.clone(), "a selection needs `group` or `severity`"));
    }
    Ok(RuleSelection { groups: groups.into_iter().flatten().collect(), severity, origin })
}

fn id(node: &Node) -> Result<String, Error> {
    let id = text(node)?;
    if is_id(&id) {
        Ok(id)
    } else {
        Err(Error::at(node.place.clone(), format!("`{id}` is no id")).advise("letters, digits, `_` and `-`, a letter first"))
    }
}

/// Letters, digits, `_` and `-`, a letter first; at most 64.
pub(super) fn is_id(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}
