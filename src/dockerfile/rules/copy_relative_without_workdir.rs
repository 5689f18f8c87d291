//! `copy-relative-without-workdir`: COPY to a relative destination with no WORKDIR in the stage chain.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "copy-relative-without-workdir",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3045"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "COPY to a relative destination with no WORKDIR in the stage chain.",
    help: r#"Where a relative destination lies depends on the base image when no WORKDIR says it.

Fails:

```dockerfile
FROM alpine:3.22
COPY app.py .
```

Clean:

```dockerfile
FROM alpine:3.22
WORKDIR /app
COPY app.py .
```
"#,
};

/// COPY to a relative destination with no WORKDIR in the stage chain.
pub(super) struct CopyRelativeWithoutWorkdir;

impl Rule for CopyRelativeWithoutWorkdir {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("COPY") {
            let Some(target) = instruction.args.last().map(|argument| argument.text.trim_matches(['"', '\''])) else { continue };
            let on_drive = matches!(target.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
            if target.starts_with(['/', '$']) || on_drive || dockerfile.comes_after(instruction, "WORKDIR") {
                continue;
            }
            findings.push(dockerfile.finding(
                &META,
                META.severity,
                instruction,
                format!("`{target}` is relative, and no WORKDIR says to what"),
            ));
        }
        findings
    }
}
