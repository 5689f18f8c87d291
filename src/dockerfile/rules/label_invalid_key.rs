//! `label-invalid-key`: A label key breaks the naming rules or uses a reserved namespace.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-invalid-key",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3048"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "A label key breaks the naming rules or uses a reserved namespace.",
    help: r#"Label keys are lower-case letters, digits, dots and dashes, begin with a letter and end with a letter or digit; `com.docker.`, `io.docker.` and `org.dockerproject.` are Docker's own. Underscores and slashes are let pass: Docker allows them, and well-known keys have them (`com.redhat.license_terms`).

Fails:

```dockerfile
FROM alpine:3.22
LABEL com.docker.harbour=x
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL com.example.harbour=x
```
"#,
};

/// A label key breaks the naming rules or uses a reserved namespace.
pub(super) struct LabelInvalidKey;

impl Rule for LabelInvalidKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("LABEL") {
            for pair in instruction.pairs() {
                let key = pair.name.trim_matches(['"', '\'']);
                if let Some(fault) = fault(key).filter(|_| !key.contains('$')) {
                    let part = pair.at..pair.at + pair.name.len();
                    findings.push(dockerfile.finding_at(
                        &META,
                        META.severity,
                        instruction,
                        &part,
                        format!("the label key `{key}` {fault}"),
                    ));
                }
            }
        }
        findings
    }
}

/// What is wrong with a key.
fn fault(key: &str) -> Option<&'static str> {
    const RESERVED: &[&str] = &["com.docker.", "io.docker.", "org.dockerproject."];
    let is_legal = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit() || matches!(ch, '.' | '-' | '_' | '/');
    if RESERVED.iter().any(|space| key.starts_with(space)) {
        Some("lies in a namespace of Docker's")
    } else if !key.starts_with(|first: char| first.is_ascii_lowercase())
        || !key.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
    {
        Some("does not begin with a letter and end with a letter or digit")
    } else if !key.chars().all(is_legal) {
        Some("holds other characters than lower-case letters, digits, dots, dashes, underscores and slashes")
    } else {
        (key.contains("..") || key.contains("--")).then_some("holds two separators in a row")
    }
}
