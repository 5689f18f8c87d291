//! `env-self-reference`: ENV uses a variable that the same instruction defines.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::{MAX_PAIRS, fixed_if, pair_end},
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
            // More of them than anybody writes would take too long to compare.
            if pairs.len() > 2 * MAX_PAIRS {
                continue;
            }
            let uses = |name: &str| pairs.iter().any(|pair| pair.value.is_some_and(|value| names(value, name)));
            let own = pairs.iter().find(|pair| uses(pair.name) && !dockerfile.sees(instruction, pair.name, |_| true));
            // What the base image gives is not known: PATH and the like are there.
            if let Some(pair) = own.filter(|pair| !pairs.iter().any(|other| other.name == pair.name && other.value.is_some_and(|value| names(value, pair.name)))) {
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
    let mut set: Vec<&str> = Vec::new();
    let mut edits = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        if set.iter().any(|name| pair.value.is_some_and(|value| names(value, name))) {
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
        set.push(pair.name);
    }
    Some(edits)
}

/// Whether a value uses a variable.
fn names(value: &str, name: &str) -> bool {
    value.match_indices('$').any(|(at, _)| {
        let rest = value.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let is_escaped = value.get(..at).is_some_and(|before| before.ends_with('\\'));
        !is_escaped && rest.strip_prefix(name).is_some_and(|after| !after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'))
    })
}
