//! `shell-unchecked-cd`: The commands behind a cd run even where it failed.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    rule::{Dockerfile, Rule},
    slip::SlipKind,
};

const META: RuleMeta = RuleMeta {
    id: "shell-unchecked-cd",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2164"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "The commands behind a cd run even where it failed.",
    help: r#"When the folder is not there, everything behind `cd folder;` runs in the folder before it: `rm -rf *` there is another one. Join the commands with `&&`, start with `set -e`, or better use WORKDIR. hadolint gives one finding of ShellCheck for each RUN, so it may be silent about SC2164 where this rule is not.

Fails:

```dockerfile
FROM debian:12
RUN cd /srv/build; rm -rf tmp; make
```

Clean:

```dockerfile
FROM debian:12
RUN cd /srv/build && rm -rf tmp && make
```
"#,
};

/// The commands behind a cd run even where it failed.
pub(super) struct ShellUncheckedCd;

impl Rule for ShellUncheckedCd {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |command: &str| format!("when `{command}` fails, what follows runs in another folder");
        dockerfile.where_slipped(&META, SlipKind::UncheckedCd, title, |_, _| false)
    }
}
