//! `shell-echo-escape`: Echo with an escape that only some shells follow.

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
    id: "shell-echo-escape",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2028"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Echo with an escape that only some shells follow.",
    help: r#"dash, the `sh` of Debian and Ubuntu, turns the \n of `echo "a\nb"` into a line end; bash and BusyBox print both characters. What lands in the file depends on the base image. `printf` means the same everywhere.

Fails:

```dockerfile
FROM debian:12
RUN echo "a=1\nb=2" > /etc/app.conf
```

Clean:

```dockerfile
FROM debian:12
RUN printf 'a=1\nb=2\n' > /etc/app.conf
```
"#,
};

/// Echo with an escape that only some shells follow.
pub(super) struct ShellEchoEscape;

impl Rule for ShellEchoEscape {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |escape: &str| format!("shells differ in what echo makes of {escape}: printf means the same everywhere");
        dockerfile.where_slipped(&META, SlipKind::EchoEscape, title, |_, _| false)
    }
}
