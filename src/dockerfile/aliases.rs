//! An id as an ignore writes it in, our rules out: by their own ids and by those that hadolint, BuildKit, Trivy, Checkov and ShellCheck give them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::model::rule::RuleMeta;

use super::{expand::glob, ignore::Dialect, rules::RULES};

/// The rules that an id names, sorted.
pub(super) fn named(id: &str, dialect: Dialect) -> Vec<&'static str> {
    let mut rules: Vec<&'static str> = match dialect {
        // BuildKit's names are its own: `all` silences no rule that it does not have, and their case counts.
        Dialect::BuildKit if id == "all" => BY_CHECK.values().flatten().copied().collect(),
        Dialect::BuildKit => BY_CHECK.get(id).cloned().unwrap_or_default(),
        Dialect::ShellCheck => {
            let found = BY_ID.get(&id.to_ascii_lowercase()).cloned().unwrap_or_default();
            found.into_iter().filter(|rule| rule.starts_with("shell-")).collect()
        }
        _ if id == "*" => RULES.iter().map(|rule| rule.meta().id).collect(),
        _ if id.contains('*') => {
            let wanted = id.to_ascii_lowercase();
            BY_ID.iter().filter(|(name, _)| glob(&wanted, name)).flat_map(|(_, rules)| rules).copied().collect()
        }
        _ => BY_ID.get(&id.to_ascii_lowercase()).cloned().unwrap_or_default(),
    };
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Rules by their ids and by those that peers give them, in lower case.
static BY_ID: LazyLock<BTreeMap<String, Vec<&'static str>>> = LazyLock::new(|| {
    let mut index: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for meta in RULES.iter().map(|rule| rule.meta()) {
        let mut ids: BTreeSet<String> = names(meta).map(str::to_ascii_lowercase).collect();
        // The column of further ids holds Trivy's in one spelling.
        for rest in meta.also.iter().filter_map(|id| id.strip_prefix("DS-")) {
            ids.extend([format!("avd-ds-{rest}"), format!("ds{}", rest.strip_prefix('0').unwrap_or(rest))]);
        }
        for id in ids {
            index.entry(id).or_default().push(meta.id);
        }
    }
    index
});

/// Rules by the names that BuildKit gives its checks.
static BY_CHECK: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut index: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for meta in RULES.iter().map(|rule| rule.meta()) {
        for name in meta.aliases.iter().chain(meta.also).filter(|name| is_check(name)) {
            index.entry(*name).or_default().push(meta.id);
        }
    }
    index
});

fn names(meta: &'static RuleMeta) -> impl Iterator<Item = &'static str> {
    std::iter::once(meta.id).chain(meta.aliases.iter().copied()).chain(meta.also.iter().copied())
}

/// Whether an id of a peer is the name of a check of BuildKit: letters of both cases.
fn is_check(name: &str) -> bool {
    let letters = name.bytes().all(|b| b.is_ascii_alphabetic());
    letters && name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().any(|b| b.is_ascii_lowercase())
}
