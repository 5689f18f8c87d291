//! `shellcheck`: Any other finding of an installed ShellCheck.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "shellcheck",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: false,
    aliases: &["SC*"],
    also: &[],
    needs: &[Need::Ast, Need::Shell, Need::Config],
    fix: None,
    summary: "Any other finding of an installed ShellCheck.",
    help: r#"ShellCheck knows far more about shell code than the `shell-*` rules. Where it is installed, `lint --shellcheck` or the id `shellcheck` in the policy's `rules.set` hands it the code of every RUN, with the shell that reads it, and reports what those rules do not say. It runs as a program of its own, one call for each RUN. Where it is missing or gives no answer in time, that is a gap.

Fails:

```dockerfile
FROM debian:12
RUN [ "$A" == b ] && make
```

Clean:

```dockerfile
FROM debian:12
RUN [ "$A" = b ] && make
```
"#,
};

/// Any other finding of an installed ShellCheck.
pub(super) struct Shellcheck;

impl Rule for Shellcheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.remarked(&META)
    }
}
