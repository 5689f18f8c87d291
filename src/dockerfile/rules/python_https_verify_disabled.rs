//! `python-https-verify-disabled`: pYTHONHTTPSVERIFY=0.

use crate::model::{
    finding::Finding,
    rule::{Group, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "python-https-verify-disabled",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_5"],
    summary: "PYTHONHTTPSVERIFY=0.",
    help: r#"Python then accepts any certificate: anybody on the way can answer in the server's place.

Fails:

```dockerfile
FROM python:3.13
ENV PYTHONHTTPSVERIFY=0
```

Clean:

```dockerfile
FROM python:3.13
ENV SSL_CERT_FILE=/etc/ssl/ca.pem
```
"#,
};

/// PYTHONHTTPSVERIFY=0.
pub(super) struct PythonHttpsVerifyDisabled;

impl Rule for PythonHttpsVerifyDisabled {
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
                            format!("{}=0 makes Python accept any certificate", pair.name),
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
                dockerfile.finding_in(&META, META.severity, command, format!("{}=0 makes Python accept any certificate", name))
            }));
        }
        findings
    }
}

fn is_faulty(name: &str, value: &str) -> bool {
    name == "PYTHONHTTPSVERIFY" && value == "0"
}
