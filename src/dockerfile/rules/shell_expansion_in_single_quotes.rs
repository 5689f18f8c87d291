//! `shell-expansion-in-single-quotes`: A variable or command inside single quotes stays as it is written.

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
    id: "shell-expansion-in-single-quotes",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2016"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "A variable or command inside single quotes stays as it is written.",
    help: r#"Between single quotes a shell changes nothing: `$HOME` stays five characters and `$(date)` does not run. Where the value is meant, use double quotes; where the text itself is meant, as in a line for a file that a shell reads later, nothing is wrong and the finding can be ignored. Programs that take code of their own (awk, jq, perl, sh -c and the like) are left alone.

Fails:

```dockerfile
FROM debian:12
RUN echo 'built for $HOME' > /etc/motd
```

Clean:

```dockerfile
FROM debian:12
RUN echo "built for $HOME" > /etc/motd
```
"#,
};

/// A variable or command inside single quotes stays as it is written.
pub(super) struct ShellExpansionInSingleQuotes;

impl Rule for ShellExpansionInSingleQuotes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |expansion: &str| format!("{expansion} stands in single quotes and is not expanded");
        dockerfile.where_slipped(&META, SlipKind::QuotedExpansion, title, |_, _| false)
    }
}
