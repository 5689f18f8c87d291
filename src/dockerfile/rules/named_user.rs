//! `named-user`: USER is a name, so Kubernetes runAsNonRoot cannot check it.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use super::root_user;
use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "named-user",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3066"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "USER is a name, so Kubernetes runAsNonRoot cannot check it.",
    help: r#"Kubernetes' `runAsNonRoot` cannot see that a name is not root: it wants a number. Unlike hadolint's DL3066, a variable is judged by its value; one that only the base image sets (`USER $APP_UID`) is not known here; and the USER that makes the image run as root is told by `root-user` alone, unless the policy turns that off.

Fails:

```dockerfile
FROM alpine:3.22
USER app
```

Clean:

```dockerfile
FROM alpine:3.22
USER 10001
```
"#,
};

/// USER is a name, so Kubernetes runAsNonRoot cannot check it.
pub(super) struct NamedUser;

impl Rule for NamedUser {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        // A number would not mend that one.
        let told = root_user::told(dockerfile);
        for (index, instruction) in dockerfile.with_keyword("USER") {
            if told.is_some_and(|told| std::ptr::eq(told, instruction)) {
                continue;
            }
            let Some(value) = dockerfile.graph.values.get(index).and_then(|values| values.first()) else { continue };
            let name = value.text.split(':').next().unwrap_or_default().trim();
            if value.is_decided() && !name.is_empty() && !name.bytes().all(|byte| byte.is_ascii_digit()) {
                findings.push(dockerfile.finding(&META, META.severity, instruction, format!("`{name}` is a name, not a number")));
            }
        }
        findings
    }
}
