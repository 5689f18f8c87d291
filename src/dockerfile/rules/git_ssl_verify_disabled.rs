//! `git-ssl-verify-disabled`: GIT_SSL_NO_VERIFY is set, or git http.sslVerify is false.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "git-ssl-verify-disabled",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["CKV2_DOCKER_14"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "GIT_SSL_NO_VERIFY is set, or git http.sslVerify is false.",
    help: r#"git then accepts any certificate: anybody on the way can answer in the server's place.

Fails:

```dockerfile
FROM debian:12
RUN git -c http.sslVerify=false clone https://git.example.org/app
```

Clean:

```dockerfile
FROM debian:12
RUN git clone https://git.example.org/app
```
"#,
};

/// GIT_SSL_NO_VERIFY is set, or git http.sslVerify is false.
pub(super) struct GitSslVerifyDisabled;

impl Rule for GitSslVerifyDisabled {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut found = variables(dockerfile);
        let off =
            |text: &str| text.split_once('=').is_some_and(|(name, value)| name.eq_ignore_ascii_case("http.sslVerify") && is_no(value));
        for (_, command) in dockerfile.all_commands().filter(|(_, command)| command.name == "git") {
            let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
            let pair =
                words.windows(2).any(|pair| matches!(pair, [name, value] if name.eq_ignore_ascii_case("http.sslVerify") && is_no(value)));
            if pair || words.iter().any(|word| off(word)) {
                found.push(dockerfile.finding_in(&META, META.severity, command, "git does not check the server's certificate".to_owned()));
            }
        }
        found
    }
}

fn variables(dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
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
                        format!("{} makes git accept any certificate", pair.name),
                    ));
                }
            }
        }
    }
    for (_, command) in dockerfile.all_commands() {
        let exported =
            command.arguments().iter().filter(|_| command.is_one_of(&["export", "declare"])).filter_map(|word| word.text.split_once('='));
        let assigned = command.assignments.iter().map(|assignment| (assignment.name.as_str(), assignment.value.text.as_str()));
        // `env` and `sudo` hand their assignments on to the command behind them, which is judged itself.
        let fault = exported.chain(assigned).find(|(name, value)| is_faulty(name, value));
        findings.extend(
            fault.map(|(name, _)| {
                dockerfile.finding_in(&META, META.severity, command, format!("{} makes git accept any certificate", name))
            }),
        );
    }
    findings
}

fn is_faulty(name: &str, value: &str) -> bool {
    name == "GIT_SSL_NO_VERIFY" && !value.is_empty()
}

fn is_no(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off")
}
