//! `pip-trusted-host`: pip runs with --trusted-host.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    package_manager::{Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "pip-trusted-host",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CKV2_DOCKER_4"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Pip runs with --trusted-host.",
    help: r#"For a trusted host pip checks no certificate: anybody on the way can answer in its place.

Fails:

```dockerfile
FROM python:3.13
RUN pip install --trusted-host pypi.example.com app
```

Clean:

```dockerfile
FROM python:3.13
RUN pip install app
```
"#,
};

/// Pip runs with --trusted-host.
pub(super) struct PipTrustedHost;

impl Rule for PipTrustedHost {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_run_with(&META, is_faulty, "pip does not check the certificate of a trusted host", |command| {
            let mut edits = Vec::new();
            let mut pairs = command.words.windows(2);
            while let Some([before, word]) = pairs.next() {
                if word.text.starts_with("--trusted-host=") {
                    edits.push(dockerfile.without_word(before, word)?);
                } else if word.text == "--trusted-host" {
                    edits.push(dockerfile.without_word(before, word)?);
                    let Some([option, host]) = pairs.next() else { return None };
                    edits.push(dockerfile.without_word(option, host)?);
                }
            }
            Some(edits)
        })
    }
}

fn is_faulty(command: &Command) -> bool {
    if Invocation::by(command, Manager::Pip).is_none() {
        return false;
    }
    let mut words = command.arguments().iter().map(|word| word.text.as_str());
    while let Some(word) = words.next() {
        let host = if word == "--trusted-host" { words.next() } else { word.strip_prefix("--trusted-host=") };
        if host.is_some_and(|host| !host.starts_with("localhost") && !host.starts_with("127.")) {
            return true;
        }
    }
    false
}
