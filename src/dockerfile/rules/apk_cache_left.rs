//! `apk-cache-left`: apk add without --no-cache.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "apk-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0025", "DKL-DI-0004", "DL3019", "DS-0025", "DS025", "ae9c56a6", "missing-apk-no-cache"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Apk add without --no-cache.",
    help: r#"apk keeps its index in the layer unless it is told not to. With `--no-network` it fetches nothing that could stay.

Fails:

```dockerfile
FROM alpine:3.22
RUN apk add curl
```

Clean:

```dockerfile
FROM alpine:3.22
RUN apk add --no-cache curl
```
"#,
};

/// Apk add without --no-cache.
pub(super) struct ApkCacheLeft;

impl Rule for ApkCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called_with(&META, is_faulty, "the index of the packages stays in the layer", |command, call| dockerfile.after_verb(command, call, " --no-cache"))
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    invocation.manager == Manager::Apk && invocation.action == Action::Install && !invocation.has(&["--no-cache", "--no-network"])
}
