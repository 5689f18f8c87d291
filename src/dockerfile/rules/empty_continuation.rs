//! `empty-continuation`: A blank line inside a continued instruction.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "empty-continuation",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["NoEmptyContinuation"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "A blank line inside a continued instruction.",
    help: r#"A blank line inside a continued instruction is passed over with a warning today; the builder says that it will be an error.

Fails:

```dockerfile
FROM alpine:3.22
RUN make \

 && make install
```

Clean:

```dockerfile
FROM alpine:3.22
RUN make \
 && make install
```
"#,
};

/// A blank line inside a continued instruction.
pub(super) struct EmptyContinuation;

impl Rule for EmptyContinuation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for instruction in &dockerfile.instructions {
            let blank = dockerfile.source.blank_lines(instruction.line, instruction.logical.end_line);
            if blank.is_empty() {
                continue;
            }
            let finding = dockerfile.finding(&META, META.severity, instruction, "a blank line inside an instruction".to_owned());
            findings.push(fixed_by(finding, FixKind::Safe, blank.into_iter().map(|range| dockerfile.edit(range, "")).collect()));
        }
        findings
    }
}
