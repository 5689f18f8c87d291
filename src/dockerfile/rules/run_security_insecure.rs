//! `run-security-insecure`: RUN --security=insecure.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "run-security-insecure",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "RUN --security=insecure.",
    help: r#"The step runs without any sandbox: it can do to the build machine what it likes.

Fails:

```dockerfile
FROM alpine:3.22
RUN --security=insecure mount
```

Clean:

```dockerfile
FROM alpine:3.22
RUN id
```
"#,
};

/// RUN --security=insecure.
pub(super) struct RunSecurityInsecure;

impl Rule for RunSecurityInsecure {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let insecure = dockerfile.with_keyword("RUN").filter(|(_, instruction)| instruction.flag("security") == Some("insecure"));
        insecure
            .map(|(_, instruction)| {
                dockerfile.finding(&META, META.severity, instruction, "RUN --security=insecure runs without a sandbox".to_owned())
            })
            .collect()
    }
}
