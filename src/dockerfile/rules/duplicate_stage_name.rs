//! `duplicate-stage-name`: two stages have the same name.

use std::collections::BTreeMap;

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "duplicate-stage-name",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["AVD-DS-0012", "CKV_DOCKER_11", "DL3024", "DS-0012", "DS012", "DuplicateStageName", "f2daed12"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "Two stages have the same name.",
    help: r#"A name that two stages have means the one that came last before it is used: whoever reads the file has to count.

Fails:

```dockerfile
FROM alpine:3.22 AS build
FROM debian:12 AS build
```

Clean:

```dockerfile
FROM alpine:3.22 AS build
FROM debian:12 AS final
```
"#,
};

/// Two stages have the same name.
pub(super) struct DuplicateStageName;

impl Rule for DuplicateStageName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut seen = BTreeMap::new();
        let mut findings = Vec::new();
        for stage in &dockerfile.graph.stages {
            let (Some(name), Some(from)) = (&stage.name, dockerfile.instructions.get(stage.from)) else { continue };
            if let Some(first) = seen.insert(name, from.line) {
                let title = format!("another stage, on line {first}, is called `{name}` too");
                findings.push(dockerfile.finding(&META, META.severity, from, title));
            }
        }
        findings
    }
}
