//! `npm-strict-ssl-env-disabled`: nPM_CONFIG_STRICT_SSL=false (any case).

use crate::model::{
    finding::Finding,
    rule::{Group, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "npm-strict-ssl-env-disabled",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CKV2_DOCKER_12"],
    summary: "NPM_CONFIG_STRICT_SSL=false (any case).",
    help: r#"npm then accepts any certificate: anybody on the way can answer in the registry's place.

Fails:

```dockerfile
FROM node:24
ENV NPM_CONFIG_STRICT_SSL=false
```

Clean:

```dockerfile
FROM node:24
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/ca.pem
```
"#,
};

/// NPM_CONFIG_STRICT_SSL=false (any case).
pub(super) struct NpmStrictSslEnvDisabled;

impl Rule for NpmStrictSslEnvDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for keyword in ["ENV", "ARG"] {
            for (index, instruction) in dockerfile.with_keyword(keyword) {
                let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
                for (pair, value) in instruction.pairs().iter().zip(values) {
                    if pair.value.is_some() && value.is_decided() && is_faulty(pair.name, &value.text) {
                        let range = pair.at..pair.at + pair.name.len();
                        findings.push(dockerfile.finding_at(
                            &META,
                            META.severity,
                            instruction,
                            &range,
                            format!("{}=false makes npm accept any certificate", pair.name),
                        ));
                    }
                }
            }
        }
        for (_, command) in dockerfile.all_commands() {
            let exported = command
                .arguments()
                .iter()
                .filter(|_| command.is_one_of(&["export", "declare"]))
                .filter_map(|word| word.text.split_once('='));
            let assigned = command.assignments.iter().map(|assignment| (assignment.name.as_str(), assignment.value.text.as_str()));
            // `env` and `sudo` hand their assignments on to the command behind them, which is judged itself.
            let fault = exported.chain(assigned).find(|(name, value)| is_faulty(name, value));
            findings.extend(fault.map(|(name, _)| {
                dockerfile.finding_in(&META, META.severity, command, format!("{}=false makes npm accept any certificate", name))
            }));
        }
        findings
    }
}

fn is_faulty(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case("NPM_CONFIG_STRICT_SSL") && value.eq_ignore_ascii_case("false")
}
