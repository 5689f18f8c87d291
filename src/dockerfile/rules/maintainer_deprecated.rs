//! `maintainer-deprecated`: MAINTAINER instead of a label.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "maintainer-deprecated",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["99614418", "AVD-DS-0022", "CKV_DOCKER_6", "DL4000", "DS-0022", "DS022", "MaintainerDeprecated", "maintainer-is-deprecated"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "MAINTAINER instead of a label.",
    help: r#"MAINTAINER sets a field of the image that hardly any tool reads. The label `org.opencontainers.image.authors` is what registries and scanners show.

Fails:

```dockerfile
FROM alpine:3.22
MAINTAINER harbour@example.com
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.authors="harbour@example.com"
```
"#,
};

/// MAINTAINER instead of a label.
pub(super) struct MaintainerDeprecated;

impl Rule for MaintainerDeprecated {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let is_labelled =
            dockerfile.with_keyword("LABEL").any(|(_, label)| label.pairs().iter().any(|pair| pair.name.trim_matches('"') == AUTHORS));
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("MAINTAINER") {
            let finding = dockerfile.finding(&META, META.severity, instruction, "MAINTAINER is deprecated: write a label".to_owned());
            let whole = instruction.at..instruction.at + instruction.text().len();
            let edit = dockerfile.edit_in(instruction, &whole, format!("LABEL {AUTHORS}={}", quoted(&instruction.rest)));
            findings.push(
                match edit.filter(|edit| {
                    !is_labelled
                        && (dockerfile.directives.escape == '\\' || !edit.replacement.contains('\\'))
                        && instruction.line == instruction.end_line
                }) {
                    Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                    None => finding,
                },
            );
        }
        findings
    }
}

const AUTHORS: &str = "org.opencontainers.image.authors";

/// A text between quotes that keep it as it is.
fn quoted(text: &str) -> String {
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|rest| !rest.contains(['"', '\\'])).unwrap_or(text);
    let mut quoted = String::from('"');
    for ch in bare.chars() {
        if matches!(ch, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(ch);
    }
    quoted.push('"');
    quoted
}
