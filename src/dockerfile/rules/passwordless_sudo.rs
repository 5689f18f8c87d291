//! `passwordless-sudo`: RUN writes NOPASSWD into sudoers, or empties a password for sudo's sake.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, RedirectKind},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "passwordless-sudo",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "RUN writes NOPASSWD into sudoers, or empties a password for sudo's sake.",
    help: r#"Whoever gets a shell as that user is root with one more word. Development-container images do it on purpose; say so in an ignore, and never ship it.

Fails:

```dockerfile
FROM debian:12
RUN echo 'app ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/app
```

Clean:

```dockerfile
FROM debian:12
USER app
```
"#,
};

/// RUN writes NOPASSWD into sudoers, or empties a password for sudo's sake.
pub(super) struct PasswordlessSudo;

impl Rule for PasswordlessSudo {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts() {
            let about_sudoers = commands.iter().any(|command| {
                command
                    .words
                    .iter()
                    .chain(command.redirects.iter().map(|redirect| &redirect.target))
                    .any(|word| word.text.contains("sudoers"))
            });
            if !about_sudoers || !dockerfile.graph.in_final_chain(instruction) {
                continue;
            }
            let writer = commands.iter().find(|command| !reads(command) && says_nopasswd(command));
            findings.extend(writer.map(|command| {
                dockerfile.finding_in(
                    &META,
                    META.severity,
                    command,
                    "NOPASSWD in sudoers: commands run as root without a password".to_owned(),
                )
            }));
        }
        findings
    }
}

fn says_nopasswd(command: &Command) -> bool {
    let written = command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Text).map(|redirect| &redirect.target);
    command.arguments().iter().chain(written).any(|word| word.text.contains("NOPASSWD"))
}

/// Programs that only look, and shells whose code is judged on its own.
fn reads(command: &Command) -> bool {
    command.is_one_of(&["grep", "egrep", "test", "[", "sh", "bash", "dash", "ash", "sudo", "su"])
}
