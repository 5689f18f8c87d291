//! `shell-unquoted-variable`: The value of an unquoted variable is split into words and expanded.

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
    id: "shell-unquoted-variable",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2086"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "The value of an unquoted variable is split into words and expanded.",
    help: r#"A shell splits the value of `$x` at blanks, expands `*` and `?` in it, and drops it where it is empty. Quotes keep it one word. Variables that the script sets to one plain word, those of ENV and ARG, and numbers like `$?` are left alone. Where a variable holds a list of options on purpose, the finding can be ignored.

Fails:

```dockerfile
FROM debian:12
RUN file=$(ls /srv | head -n 1) && rm /srv/$file
```

Clean:

```dockerfile
FROM debian:12
RUN file=$(ls /srv | head -n 1) && rm "/srv/$file"
```
"#,
};

/// The value of an unquoted variable is split into words and expanded.
pub(super) struct ShellUnquotedVariable;

impl Rule for ShellUnquotedVariable {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |variable: &str| format!("{variable} is split into words and expanded: quote it");
        dockerfile.where_slipped(&META, SlipKind::UnquotedVariable, title, |_, _| false)
    }
}
