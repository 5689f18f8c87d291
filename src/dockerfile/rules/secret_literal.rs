//! `secret-literal`: a literal in a known credential format (cloud key, forge token, private-key block) anywhere in the file or image config.

use crate::model::{
    finding::Finding,
    location::Location,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    rule::{Dockerfile, Rule},
    secret,
};

const META: RuleMeta = RuleMeta {
    id: "secret-literal",
    group: Group::Security,
    severity: Severity::Critical,
    default_on: true,
    aliases: &[],
    also: &["CIS-DI-0010", "DS-0031", "c3e1b6ae"],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "A literal in a known credential format (cloud key, forge token, private-key block) anywhere in the file or image config.",
    help: r#"The credential is in the repository and in every layer made from this line. Revoke it, then mount it as a secret.

Fails:

```dockerfile
FROM alpine:3.22
RUN git clone https://ghp_...@github.com/org/repo
```

Clean:

```dockerfile
FROM alpine:3.22
RUN --mount=type=secret,id=token ./clone.sh
```
"#,
};

/// A literal in a known credential format (cloud key, forge token, private-key block) anywhere in the file or image config.
pub(super) struct SecretLiteral;

impl Rule for SecretLiteral {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let text = dockerfile.source.text.as_str();
        let mut findings = Vec::new();
        for literal in secret::literals(text) {
            let title = format!("literal {}", literal.kind);
            let location = Location::Dockerfile(dockerfile.source.span(&dockerfile.file, &literal.range));
            findings.push(Finding::of_rule(&META, META.severity, title, location));
        }
        findings
    }
}
