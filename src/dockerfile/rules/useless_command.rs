//! `useless-command`: RUN uses an interactive or service command (ssh, vim, service, ps, top, free, kill, mount, shutdown).

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "useless-command",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["9b6b0f38", "DL3001", "nonsensical-command"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "RUN uses an interactive or service command (ssh, vim, service, ps, top, free, kill, mount, shutdown).",
    help: r#"In a build there is nobody at the terminal, no service manager and no other process: the command does nothing that stays.

Fails:

```dockerfile
FROM alpine:3.22
RUN service nginx start
```

Clean:

```dockerfile
FROM alpine:3.22
CMD ["nginx"]
```
"#,
};

/// RUN uses an interactive or service command (ssh, vim, service, ps, top, free, kill, mount, shutdown).
pub(super) struct UselessCommand;

impl Rule for UselessCommand {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, command) in dockerfile.build_commands() {
            let has_agent = instruction.flag_values("mount").any(|mount| mount.contains("type=ssh"));
            if USELESS.contains(&command.name.as_str()) && !(command.name == "ssh" && has_agent) {
                findings.push(dockerfile.finding_in(&META, META.severity, command, format!("{} is of no use in a build", command.name)));
            }
        }
        findings
    }
}

/// Programs for people, for running machines, and for other processes.
const USELESS: &[&str] = &["free", "kill", "mount", "ps", "service", "shutdown", "ssh", "top", "vim"];
