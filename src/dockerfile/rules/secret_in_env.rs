//! `secret-in-env`: ENV sets a variable with a secret-like name to a literal value.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    rule::{Dockerfile, Rule},
    secret,
};

const META: RuleMeta = RuleMeta {
    id: "secret-in-env",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["AVD-DS-0031", "CIS-4.10", "CIS-DI-0010", "DL3064", "DS-0031", "DS031", "SecretsUsedInArgOrEnv", "c3e1b6ae"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "ENV sets a variable with a secret-like name to a literal value.",
    help: r#"The value is in the image's configuration: everyone who can pull the image, or list its containers, reads it. Pass it when the container starts, or mount it for one build step. Unlike hadolint's DL3064 and BuildKit's SecretsUsedInArgOrEnv, the value counts, not the name alone: empty ones, placeholders, paths, and fingerprints of public keys (`GPG_KEY`) are no secrets.

Fails:

```dockerfile
FROM alpine:3.22
ENV DB_PASSWORD=hunter22
```

Clean:

```dockerfile
FROM alpine:3.22
ENV DB_PASSWORD_FILE=/run/secrets/db
```
"#,
};

/// ENV sets a variable with a secret-like name to a literal value.
pub(super) struct SecretInEnv;

impl Rule for SecretInEnv {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("ENV") {
            for (at, pair) in instruction.pairs().iter().enumerate() {
                let name = dockerfile.graph.name(index, at, pair.name);
                if secret::is_secret_name(name) && secret::is_literal_secret(dockerfile.graph.value(index, at, pair)) {
                    let range = pair.at..pair.at + pair.name.len();
                    findings.push(dockerfile.finding_at(
                        &META,
                        META.severity,
                        instruction,
                        &range,
                        format!("ENV sets {name} to a literal secret"),
                    ));
                }
            }
        }
        findings
    }
}
