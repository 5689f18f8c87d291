//! `secret-in-run`: RUN passes or writes a literal credential (login -p, --password=, configure set, _authToken, .netrc).

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    credential::{Given, given, piped, printed},
    rule::{Dockerfile, Rule},
    wrapper,
};

const META: RuleMeta = RuleMeta {
    id: "secret-in-run",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &["CIS-DI-0010", "DS-0031", "c3e1b6ae"],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "RUN passes or writes a literal credential (login -p, --password=, configure set, _authToken, .netrc).",
    help: r#"What a command line holds stands in the Dockerfile, in the image's history and often in a file of a layer, for everybody who may pull the image. Revoke the credential, then mount it: `RUN --mount=type=secret,id=x` and read `/run/secrets/x` in the command. Variables that are read from a mounted secret are fine.

Fails:

```dockerfile
FROM node:22
RUN npm config set //registry.example.com/:_authToken h4Wm9-Xq2b
```

Clean:

```dockerfile
FROM node:22
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
```
"#,
};

/// RUN passes or writes a literal credential (login -p, --password=, configure set, _authToken, .netrc).
pub(super) struct SecretInRun;

impl Rule for SecretInRun {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, commands) in dockerfile.scripts() {
            for (at, command) in commands.iter().enumerate() {
                let found = given(command).or_else(|| printed(command)).or_else(|| piped(commands, at));
                // Shells and wrappers run their words as commands of their own.
                let Some(found) = found.filter(|_| wrapper::unwrap(command).is_empty()) else { continue };
                findings.push(dockerfile.finding_in(&META, META.severity, command, title(command, &found)));
            }
        }
        findings
    }
}

/// Says where the credential stands, never what it is.
fn title(command: &Command, found: &Given<'_>) -> String {
    let program = command.name.as_str();
    match found {
        Given::Option(option) => format!("{program} is given a literal credential by {option}"),
        Given::Operand(verb) => format!("{program} {verb} is given a literal credential"),
        Given::Variable(name) => format!("{name} is set to a literal credential"),
        Given::Header => format!("{program} sends a literal credential in a header"),
        Given::Statement => format!("{program} runs a statement with a literal password"),
        Given::Text(key) => format!("{program} writes a literal credential as {key}"),
        Given::Input(reader) => format!("{program} hands {reader} a literal credential"),
    }
}
