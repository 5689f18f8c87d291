//! `forbidden-onbuild-trigger`: ONBUILD with FROM, ONBUILD or MAINTAINER.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "forbidden-onbuild-trigger",
    group: Group::Correctness,
    severity: Severity::High,
    default_on: true,
    aliases: &["DL3043"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "ONBUILD with FROM, ONBUILD or MAINTAINER.",
    help: r#"ONBUILD cannot hold FROM, MAINTAINER or another ONBUILD: BuildKit refuses the file.

Fails:

```dockerfile
FROM alpine:3.22
ONBUILD ONBUILD RUN make
```

Clean:

```dockerfile
FROM alpine:3.22
ONBUILD RUN make
```
"#,
};

/// ONBUILD with FROM, ONBUILD or MAINTAINER.
pub(super) struct ForbiddenOnbuildTrigger;

impl Rule for ForbiddenOnbuildTrigger {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for instruction in dockerfile.instructions.iter().filter(|instruction| instruction.keyword == "ONBUILD") {
            let Some(trigger) = &instruction.trigger else { continue };
            if matches!(trigger.keyword.as_str(), "FROM" | "MAINTAINER" | "ONBUILD") {
                let title = format!("{} cannot be a trigger", trigger.keyword);
                findings.push(dockerfile.finding(&META, META.severity, instruction, title));
            }
        }
        findings
    }
}
