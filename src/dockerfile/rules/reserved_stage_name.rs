//! `reserved-stage-name`: A stage is called scratch or context.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "reserved-stage-name",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["DL3063", "ReservedStageName"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "A stage is called scratch or context.",
    help: r#"`scratch` is the empty image and `context` a word of the builder: a stage of that name cannot be told from them.

Fails:

```dockerfile
FROM alpine:3.22 AS scratch
```

Clean:

```dockerfile
FROM alpine:3.22 AS build
```
"#,
};

/// A stage is called scratch or context.
pub(super) struct ReservedStageName;

impl Rule for ReservedStageName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for stage in &dockerfile.graph.stages {
            let (Some(name @ ("scratch" | "context")), Some(from)) = (stage.name.as_deref(), dockerfile.instructions.get(stage.from))
            else {
                continue;
            };
            findings.push(dockerfile.finding(&META, META.severity, from, format!("the name `{name}` is reserved")));
        }
        findings
    }
}
