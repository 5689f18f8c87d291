//! `pip-trusted-host-env`: pIP_TRUSTED_HOST is set (ENV, ARG or in RUN).

use crate::model::{
    finding::Finding,
    rule::{Group, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "pip-trusted-host-env",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CKV2_DOCKER_16"],
    summary: "PIP_TRUSTED_HOST is set (ENV, ARG or in RUN).",
    help: r#"For a trusted host pip checks no certificate: anybody on the way can answer in its place.

Fails:

```dockerfile
FROM python:3.13
ENV PIP_TRUSTED_HOST=pypi.example.com
```

Clean:

```dockerfile
FROM python:3.13
RUN pip install app
```
"#,
};

/// PIP_TRUSTED_HOST is set (ENV, ARG or in RUN).
pub(super) struct PipTrustedHostEnv;

impl Rule for PipTrustedHostEnv {
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
                            format!("{} makes pip accept any certificate", pair.name),
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
                dockerfile.finding_in(&META, META.severity, command, format!("{} makes pip accept any certificate", name))
            }));
        }
        findings
    }
}

fn is_faulty(name: &str, value: &str) -> bool {
    name == "PIP_TRUSTED_HOST" && !value.is_empty()
}
