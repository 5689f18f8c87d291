//! `default-shell-relinked`: RUN replaces /bin/sh by a link instead of SHELL.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "default-shell-relinked",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["8a301064", "DL4005", "use-shell-instruction"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "RUN replaces /bin/sh by a link instead of SHELL.",
    help: r#"`SHELL` says which shell runs the instructions; a link in the place of /bin/sh changes it for every script of the image as well.

Fails:

```dockerfile
FROM debian:12
RUN ln -sf /bin/bash /bin/sh
```

Clean:

```dockerfile
FROM debian:12
SHELL ["/bin/bash", "-c"]
```
"#,
};

/// RUN replaces /bin/sh by a link instead of SHELL.
pub(super) struct DefaultShellRelinked;

impl Rule for DefaultShellRelinked {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let relinks = |command: &Command| {
            let target = command.arguments().iter().rev().find(|word| !word.text.starts_with('-'));
            let operands = command.arguments().iter().filter(|word| !word.text.starts_with('-')).count();
            command.name == "ln" && operands > 1 && target.is_some_and(|word| matches!(word.text.as_str(), "/bin/sh" | "/usr/bin/sh"))
        };
        dockerfile.where_run(&META, relinks, "/bin/sh becomes another shell")
    }
}
