//! `relative-workdir`: WORKDIR is relative and nothing absolute precedes it in the stage chain.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "relative-workdir",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["6b376af8", "AVD-DS-0009", "CKV_DOCKER_10", "DL3000", "DS-0009", "DS009", "WorkdirRelativePath"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Safe),
    summary: "WORKDIR is relative and nothing absolute precedes it in the stage chain.",
    help: r#"A relative WORKDIR continues the last one, or that of the base image, which nobody sees here. BuildKit's WorkdirRelativePath is content where an absolute WORKDIR stands before it; like hadolint's rule, this one is not, and stays silent on a variable that only the base image sets (`WORKDIR $SRC`).

Fails:

```dockerfile
FROM alpine:3.22
WORKDIR app
```

Clean:

```dockerfile
FROM alpine:3.22
WORKDIR /app
```
"#,
};

/// WORKDIR is relative and nothing absolute precedes it in the stage chain.
pub(super) struct RelativeWorkdir;

impl Rule for RelativeWorkdir {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("WORKDIR") {
            let Some(value) = dockerfile.graph.values.get(index).and_then(|values| values.first()) else { continue };
            let is_relative = |text: &str| !is_absolute(text.trim_matches(['"', '\'']));
            if value.is_decided() && is_relative(&value.text) && !instruction.rest.starts_with('$') {
                let title = format!("`{}` is relative", value.text);
                findings.push(dockerfile.finding(&META, META.severity, instruction, title));
            }
        }
        findings
    }
}

/// Whether a path begins at a root, or on a drive of Windows.
fn is_absolute(path: &str) -> bool {
    let on_drive = || matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    path.starts_with(['/', '\\']) || on_drive()
}
