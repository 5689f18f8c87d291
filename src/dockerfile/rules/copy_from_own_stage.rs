//! `copy-from-own-stage`: COPY --from refers to its own stage.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "copy-from-own-stage",
    group: Group::Correctness,
    severity: Severity::High,
    default_on: true,
    aliases: &["AVD-DS-0006", "DL3023", "DS-0006", "DS006", "cdddb86f"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "COPY --from refers to its own stage.",
    help: r#"A stage cannot copy from itself: BuildKit refuses the file.

Fails:

```dockerfile
FROM alpine:3.22 AS build
COPY --from=build /a /b
```

Clean:

```dockerfile
FROM alpine:3.22 AS build
RUN cp /a /b
```
"#,
};

/// COPY --from refers to its own stage.
pub(super) struct CopyFromOwnStage;

impl Rule for CopyFromOwnStage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("COPY").chain(dockerfile.with_keyword("RUN")) {
            let Some((at, stage)) = instruction.stage.and_then(|at| Some((at, dockerfile.graph.stages.get(at)?))) else { continue };
            let is_own = |name: &str| stage.name.as_deref() == Some(name.to_lowercase().as_str()) || name.parse() == Ok(at);
            // An earlier stage of the same name is meant.
            let is_earlier = |name: &str| {
                dockerfile.graph.stages.iter().take(at).any(|stage| stage.name.as_deref() == Some(name.to_lowercase().as_str()))
            };
            let source = instruction.sources().find(|name| is_own(name) && !is_earlier(name));
            if let Some(name) = source {
                findings.push(dockerfile.finding(&META, META.severity, instruction, format!("`{name}` is the stage that this stands in")));
            }
        }
        findings
    }
}
