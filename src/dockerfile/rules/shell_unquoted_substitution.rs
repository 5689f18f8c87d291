//! `shell-unquoted-substitution`: The output of an unquoted command substitution is split into words and expanded.

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
    id: "shell-unquoted-substitution",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2046"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "The output of an unquoted command substitution is split into words and expanded.",
    help: r#"A shell splits what `$(cmd)` prints at blanks and expands `*` and `?` in it. Quotes keep it one word. Where a list of words is meant, as in `apt-get install $(cat packages)`, that is how it works, and the finding can be ignored. hadolint gives one finding of ShellCheck for each RUN, so it may be silent about SC2046 where this rule is not.

Fails:

```dockerfile
FROM debian:12
RUN cp $(find / -name app.jar) /srv/app.jar
```

Clean:

```dockerfile
FROM debian:12
RUN cp "$(find / -name app.jar)" /srv/app.jar
```
"#,
};

/// The output of an unquoted command substitution is split into words and expanded.
pub(super) struct ShellUnquotedSubstitution;

impl Rule for ShellUnquotedSubstitution {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |code: &str| format!("what {code} prints is split into words and expanded: quote it");
        dockerfile.where_slipped(&META, SlipKind::UnquotedSubstitution, title, |_, _| false)
    }
}
