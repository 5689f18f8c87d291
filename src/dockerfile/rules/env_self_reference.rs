//! `env-self-reference`: ENV uses a variable that the same instruction defines.

use std::collections::BTreeSet;

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::{fixed_if, pair_end},
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "env-self-reference",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["DL3044"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Unsafe),
    summary: "ENV uses a variable that the same instruction defines.",
    help: r#"An ENV sees the values from before it: a variable that the same instruction defines is still the old one, or empty.

Fails:

```dockerfile
FROM alpine:3.22
ENV HOME_DIR=/srv BIN=$HOME_DIR/bin
```

Clean:

```dockerfile
FROM alpine:3.22
ENV HOME_DIR=/srv
ENV BIN=$HOME_DIR/bin
```
"#,
};

/// How many pairs of one instruction are looked at; each may be sought among as many in an earlier one.
const MOST_PAIRS: usize = 1_000;

/// ENV uses a variable that the same instruction defines.
pub(super) struct EnvSelfReference;

impl Rule for EnvSelfReference {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("ENV") {
            let pairs = instruction.pairs();
            let used: BTreeSet<&str> = pairs.iter().filter_map(|pair| pair.value).flat_map(names_in).collect();
            let own =
                pairs.iter().take(MOST_PAIRS).find(|pair| used.contains(pair.name) && !dockerfile.sees(instruction, pair.name, |_| true));
            // What the base image gives is not known: PATH and the like are there.
            if let Some(pair) = own.filter(|pair| {
                !pairs
                    .iter()
                    .any(|other| other.name == pair.name && other.value.is_some_and(|value| names_in(value).any(|name| name == pair.name)))
            }) {
                let title = format!("`${}` has its old value here: the same instruction sets it", pair.name);
                let finding = dockerfile.finding(&META, META.severity, instruction, title);
                findings.push(fixed_if(finding, FixKind::Unsafe, split(dockerfile, instruction)));
            }
        }
        findings
    }
}

/// Another ENV wherever a value uses what the one so far sets.
fn split(dockerfile: &Dockerfile<'_>, instruction: &Instruction) -> Option<Vec<Edit>> {
    // A trigger would need another ONBUILD.
    let head = dockerfile.source.text.get(..instruction.range.start)?.rsplit('\n').next()?;
    if !head.trim().is_empty() {
        return None;
    }
    let pairs = instruction.pairs();
    let mut set: BTreeSet<&str> = BTreeSet::new();
    let mut edits = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        if pair.value.is_some_and(|value| names_in(value).any(|name| set.contains(name))) {
            let before = pairs.get(at.checked_sub(1)?)?;
            let end = instruction.logical.range(&(before.at..pair_end(instruction, before))).end;
            let start = instruction.logical.offset(pair.at);
            let between = dockerfile.source.text.get(end..start)?;
            if between.contains('#') {
                return None;
            }
            edits.push(dockerfile.edit(end..start, format!("{}{head}{} ", dockerfile.newline(), instruction.word)));
            set.clear();
        }
        set.insert(pair.name);
    }
    Some(edits)
}

/// The names of the variables that a value uses.
fn names_in(value: &str) -> impl Iterator<Item = &str> {
    let is_escaped = move |at: usize| value.get(..at).is_some_and(|before| before.ends_with('\\'));
    value.match_indices('$').filter(move |(at, _)| !is_escaped(*at)).map(move |(at, _)| {
        let rest = value.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    })
}
