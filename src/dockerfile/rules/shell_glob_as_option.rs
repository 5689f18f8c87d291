//! `shell-glob-as-option`: A pattern at the start of a word may become an option.

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
    id: "shell-glob-as-option",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["SC2035"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "A pattern at the start of a word may become an option.",
    help: r#"`rm *` hands every file name to rm, and a file called `-rf` is an option there. `./*` names the same files and none of them starts with a dash; `--` before the pattern helps with most programs, too. hadolint gives one finding of ShellCheck for each RUN, so it may be silent about SC2035 where this rule is not.

Fails:

```dockerfile
FROM debian:12
RUN rm *.tmp
```

Clean:

```dockerfile
FROM debian:12
RUN rm ./*.tmp
```
"#,
};

/// A pattern at the start of a word may become an option.
pub(super) struct ShellGlobAsOption;

impl Rule for ShellGlobAsOption {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = |word: &str| format!("{word} may become an option: ./{word} cannot");
        dockerfile.where_slipped(&META, SlipKind::LeadingGlob, title, |_, _| false)
    }
}
