//! `stage-name-casing`: A stage name has capitals.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "stage-name-casing",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["StageNameCasing"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Safe),
    summary: "A stage name has capitals.",
    help: r#"Stage names are compared in lower case, except by FROM, which wants them as they are written: capitals make `FROM Build` an image.

Fails:

```dockerfile
FROM alpine:3.22 AS Build
```

Clean:

```dockerfile
FROM alpine:3.22 AS build
```
"#,
};

/// A stage name has capitals.
pub(super) struct StageNameCasing;

impl Rule for StageNameCasing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("FROM") {
            let [_, _, name] = instruction.args.as_slice() else { continue };
            if name.text == name.text.to_lowercase() {
                continue;
            }
            let part = name.at..name.at + name.text.len();
            let finding = dockerfile.finding_at(&META, META.severity, instruction, &part, format!("the stage name `{}` has capitals", name.text));
            // COPY and mounts take the name in any case.
            let edit = dockerfile.edit_in(instruction, &part, name.text.to_lowercase());
            findings.push(match edit {
                Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}
