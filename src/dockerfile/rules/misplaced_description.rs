//! `misplaced-description`: A comment above ARG or FROM does not start with the name it describes.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "misplaced-description",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["InvalidDefinitionDescription"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "A comment above ARG or FROM does not start with the name it describes.",
    help: r#"`docker build --call=outline` shows the comment right above a build argument or a stage as its description, if it starts with the name of it. One that starts otherwise is lost; put a blank line below a comment that is meant for something else.

Fails:

```dockerfile
# the version to build
ARG VERSION=1
FROM alpine:3.22
```

Clean:

```dockerfile
# VERSION is the version to build
ARG VERSION=1
FROM alpine:3.22
```
"#,
};

/// A comment above ARG or FROM does not start with the name it describes.
pub(super) struct MisplacedDescription;

impl Rule for MisplacedDescription {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for instruction in &dockerfile.instructions {
            let names: Vec<String> = match (instruction.keyword.as_str(), instruction.args.as_slice()) {
                ("ARG", _) => instruction.pairs().iter().map(|pair| pair.name.to_owned()).collect(),
                ("FROM", [_, _, name]) => vec![name.text.to_lowercase()],
                _ => continue,
            };
            let above = instruction.line.saturating_sub(1);
            let place = dockerfile.comments.partition_point(|comment| comment.line < above);
            let Some(comment) = dockerfile.comments.get(place).filter(|comment| comment.line == above && !comment.inside) else { continue };
            let first = comment.text.split(' ').next().unwrap_or_default();
            if first.is_empty() || is_order(&comment.text) || names.iter().any(|name| name == first) {
                continue;
            }
            let wanted = if let [name] = names.as_slice() { name.as_str() } else { "one of the names" };
            let title = format!("the comment above describes nothing: it starts with `{first}`, not with `{wanted}`");
            findings.push(dockerfile.finding(&META, META.severity, instruction, title));
        }
        findings
    }
}

/// Whether a comment speaks to a program.
fn is_order(comment: &str) -> bool {
    const WORDS: &[&str] = &[
        "hadolint ",
        "plimsoll ",
        "trivy:",
        "checkov:",
        "bridgecrew:",
        "cortex:",
        "shellcheck ",
        "check=",
        "syntax=",
        "escape=",
        "renovate:",
        "kics-scan",
        "nosemgrep",
    ];
    let lower = comment.to_ascii_lowercase().replace(" =", "=");
    WORDS.iter().any(|word| lower.starts_with(word))
}
