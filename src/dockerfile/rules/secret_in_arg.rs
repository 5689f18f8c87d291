//! `secret-in-arg`: ARG has a secret-like name (its value ends in history and provenance).

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
    id: "secret-in-arg",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["secret-in-build-arg"],
    also: &["CIS-DI-0010", "DL3064", "DS-0031", "SecretsUsedInArgOrEnv", "c3e1b6ae"],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "ARG has a secret-like name (its value ends in history and provenance).",
    help: r#"The values of build arguments stand in the image's history and in its provenance. Use `RUN --mount=type=secret`.

Fails:

```dockerfile
FROM alpine:3.22
ARG API_TOKEN
RUN curl -H "Authorization: $API_TOKEN" https://api.example.com
```

Clean:

```dockerfile
FROM alpine:3.22
RUN --mount=type=secret,id=token curl -H @/run/secrets/token https://api.example.com
```
"#,
};

/// ARG has a secret-like name (its value ends in history and provenance).
pub(super) struct SecretInArg;

impl Rule for SecretInArg {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("ARG") {
            let outer = dockerfile.instructions.get(index);
            let in_final = outer.is_some_and(|outer| dockerfile.graph.in_final_chain(outer));
            for (at, pair) in instruction.pairs().iter().enumerate() {
                let name = dockerfile.graph.name(index, at, pair.name);
                if !secret::is_secret_name(name) {
                    continue;
                }
                let literal = secret::is_literal_secret(dockerfile.graph.value(index, at, pair));
                // A default that is a switch, a path or a placeholder is no secret, and says that the name lies.
                if pair.value.is_some_and(|value| !value.trim_matches(['"', '\'']).is_empty()) && !literal {
                    continue;
                }
                let severity = match (in_final, literal) {
                    (_, true) => Severity::High,
                    (true, false) => META.severity,
                    (false, false) => Severity::Low,
                };
                let what = if literal { "has a literal secret as default" } else { "asks for a secret, which build arguments do not keep" };
                let range = pair.at..pair.at + pair.name.len();
                findings.push(dockerfile.finding_at(&META, severity, instruction, &range, format!("ARG {name} {what}")));
            }
        }
        findings
    }
}
