//! `from-as-casing`: AS has another case than FROM.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "from-as-casing",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["FromAsCasing"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "AS has another case than FROM.",
    help: r#"FROM and AS in different cases are harder to read than in one.

Fails:

```dockerfile
FROM alpine:3.22 as build
```

Clean:

```dockerfile
FROM alpine:3.22 AS build
```
"#,
};

/// AS has another case than FROM.
pub(super) struct FromAsCasing;

impl Rule for FromAsCasing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("FROM") {
            let [_, word, _] = instruction.args.as_slice() else { continue };
            let wanted = if instruction.word == instruction.keyword {
                "AS"
            } else if instruction.word == instruction.keyword.to_lowercase() {
                "as"
            } else {
                continue;
            };
            if word.text == wanted {
                continue;
            }
            let part = word.at..word.at + word.text.len();
            let finding =
                dockerfile.finding_at(&META, META.severity, instruction, &part, format!("`{}` beside `{}`", word.text, instruction.word));
            findings.push(match dockerfile.edit_in(instruction, &part, wanted) {
                Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}
