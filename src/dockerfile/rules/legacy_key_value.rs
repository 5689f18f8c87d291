//! `legacy-key-value`: ENV or LABEL with a space instead of =.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "legacy-key-value",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["LegacyKeyValueFormat"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "ENV or LABEL with a space instead of =.",
    help: r#"`ENV key value` takes the rest of the line as the value; `=` says where the value ends, and takes several pairs.

Fails:

```dockerfile
FROM alpine:3.22
ENV MODE production
```

Clean:

```dockerfile
FROM alpine:3.22
ENV MODE=production
```
"#,
};

/// ENV or LABEL with a space instead of =.
pub(super) struct LegacyKeyValue;

impl Rule for LegacyKeyValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("ENV").chain(dockerfile.with_keyword("LABEL")) {
            let [name, value, sign] = instruction.args.as_slice() else { continue };
            if !sign.text.is_empty() {
                continue;
            }
            let title = format!("`{} {}` without `=`", instruction.word, name.text);
            let finding = dockerfile.finding(&META, META.severity, instruction, title);
            let part = name.at..value.at + value.text.len();
            let edit = quoted(&value.text).and_then(|value| dockerfile.edit_in(instruction, &part, format!("{}={value}", name.text)));
            findings.push(match edit {
                Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                None => finding,
            });
        }
        findings.sort_by_key(|finding| finding.locations.clone());
        findings
    }
}

/// A value that means the same behind `=`; nothing where that is not sure.
fn quoted(value: &str) -> Option<String> {
    // One quoted text may stay as it is.
    let is_one = |quote: char| {
        let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        inner.is_some_and(|inner| !inner.contains(['"', '\'', '\\', '`', '\n']))
    };
    if is_one('"') || is_one('\'') {
        return Some(value.to_owned());
    }
    if value.contains(['"', '\'', '\\', '`', '\n']) {
        return None;
    }
    Some(if value.is_empty() || value.contains([' ', '\t']) { format!("\"{value}\"") } else { value.to_owned() })
}
