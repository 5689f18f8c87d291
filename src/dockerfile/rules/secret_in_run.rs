//! `secret-in-run`: RUN passes or writes a literal credential (login -p, --password=, configure set, _authToken, .netrc).

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    credential::{Given, given, has_options_alone},
    credential_text::{Form, in_file, piped, printed},
    instruction::Instruction,
    printed::Targets,
    rule::{Dockerfile, Rule},
    source::slice,
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
    help: r#"What a command line holds stands in the Dockerfile, in the image's history and often in a file of a layer, for everybody who may pull the image. Revoke the credential, then mount it: `RUN --mount=type=secret,id=x` and read `/run/secrets/x` in the command. Variables that are read from a mounted secret are fine. A heredoc of COPY, and what CMD, ENTRYPOINT and HEALTHCHECK pass, are looked at as well.

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
        for (instruction, commands) in dockerfile.scripts() {
            let targets = Targets::of(commands, Form::of);
            for (at, command) in commands.iter().enumerate() {
                let found = given(command).or_else(|| printed(command, at, &targets)).or_else(|| piped(commands, at));
                // Shells and wrappers run their words as commands of their own.
                let Some(found) = found.filter(|_| wrapper::unwrap(command).is_empty()) else { continue };
                findings.push(dockerfile.finding_in(&META, META.severity, command, title(instruction, command, &found)));
            }
        }
        let copies = ["COPY", "ADD"].into_iter().flat_map(|keyword| dockerfile.with_keyword(keyword));
        findings.extend(copies.filter_map(|(index, instruction)| {
            let key = written(dockerfile, index, instruction)?;
            let title = format!("{} writes a literal credential as {key}", instruction.keyword);
            Some(dockerfile.finding(&META, META.severity, instruction, title))
        }));
        findings
    }
}

/// The key of a credential in a heredoc that COPY or ADD makes a file.
fn written<'a>(dockerfile: &'a Dockerfile<'_>, index: usize, instruction: &Instruction) -> Option<&'a str> {
    let outer = dockerfile.instructions.get(index)?;
    let destination = dockerfile.graph.values.get(index)?.last()?;
    outer.heredocs.iter().find_map(|heredoc| {
        let is_folder = destination.text.ends_with('/') || instruction.args.len() > 2;
        let path = if is_folder { heredoc.name.as_str() } else { destination.text.as_str() };
        in_file(path, slice(&dockerfile.source.text, heredoc.body.clone()))
    })
}

/// Says where the credential stands, never what it is.
fn title(instruction: &Instruction, command: &Command, found: &Given<'_>) -> String {
    // What is nothing but options may be the credential itself.
    let program = if has_options_alone(command) { instruction.keyword.as_str() } else { command.name.as_str() };
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
