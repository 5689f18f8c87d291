//! `shell-masked-exit-status`: An assignment behind export, local or readonly hides that its command failed.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    rule::{Dockerfile, Rule},
    slip::SlipKind,
};

const META: RuleMeta = RuleMeta {
    id: "shell-masked-exit-status",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2155"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "An assignment behind export, local or readonly hides that its command failed.",
    help: r#"`export A=$(cmd)` succeeds whatever cmd does, since the status is that of export: neither `set -e` nor `&&` stops the build. `A=$(cmd)` alone has the status of cmd; export the variable in a second step. hadolint gives one finding of ShellCheck for each RUN, so it may be silent about SC2155 where this rule is not.

Fails:

```dockerfile
FROM debian:12
RUN export VERSION="$(cat /version)" && make
```

Clean:

```dockerfile
FROM debian:12
RUN VERSION="$(cat /version)" && export VERSION && make
```
"#,
};

/// An assignment behind export, local or readonly hides that its command failed.
pub(super) struct ShellMaskedExitStatus;

impl Rule for ShellMaskedExitStatus {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |name: &str| format!("the command that gives {name} its value may fail unnoticed");
        dockerfile.where_slipped(&META, SlipKind::MaskedStatus, title, |_, _| false)
    }
}
