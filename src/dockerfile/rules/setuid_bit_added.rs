//! `setuid-bit-added`: RUN or --chmod adds setuid/setgid (u+s, 4755, 2755) or setcap grants a capability.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    mode::{Mode, ModeChange, makes_directories},
    options::Arguments,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "setuid-bit-added",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "RUN or --chmod adds setuid/setgid (u+s, 4755, 2755) or setcap grants a capability.",
    help: r#"A setuid program is a door to root for whoever gets a shell in the container. Capabilities on a file are the same door, only narrower.

Fails:

```dockerfile
FROM debian:12
RUN chmod u+s /usr/local/bin/tool
```

Clean:

```dockerfile
FROM debian:12
RUN chmod 0755 /usr/local/bin/tool
```
"#,
};

/// RUN or --chmod adds setuid/setgid (u+s, 4755, 2755) or setcap grants a capability.
pub(super) struct SetuidBitAdded;

impl Rule for SetuidBitAdded {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts() {
            let made = made_directories(commands);
            for command in commands {
                let Some((severity, title)) = adds(command, &made) else { continue };
                let severity = if dockerfile.graph.in_final_chain(instruction) { severity } else { Severity::Low };
                findings.push(dockerfile.finding_in(&META, severity, command, title));
            }
        }
        for (index, instruction) in dockerfile.with_keyword("COPY").chain(dockerfile.with_keyword("ADD")) {
            let Some(flag) = dockerfile.graph.mode(index) else { continue };
            if Mode::parse(flag).is_some_and(|mode| mode.setuid || mode.setgid) {
                findings.push(dockerfile.finding(
                    &META,
                    META.severity,
                    instruction,
                    format!("--chmod={flag} makes files setuid or setgid"),
                ));
            }
        }
        findings
    }
}

fn adds(command: &Command, made: &[&str]) -> Option<(Severity, String)> {
    match command.name.as_str() {
        "chmod" => {
            let ModeChange { text, mode, paths, .. } = ModeChange::of(command)?;
            // Setgid on a directory hands its group on; that is how shared directories are made.
            let shared = mode.group_writes || paths.iter().all(|path| path.ends_with('/') || made.contains(&path.trim_end_matches('/')));
            if mode.setuid || (mode.setgid && !shared) {
                return Some((META.severity, format!("chmod {text} makes {} setuid or setgid", paths.first().copied().unwrap_or("files"))));
            }
            None
        }
        "install" => {
            let ModeChange { text, mode, makes_directories, .. } = ModeChange::of(command)?;
            (mode.setuid || (mode.setgid && !makes_directories))
                .then(|| (META.severity, format!("install -m {text} makes a file setuid or setgid")))
        }
        "setcap" => {
            let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
            let grant = words.iter().find(|word| word.contains('=') || word.contains('+'))?;
            if words.contains(&"-r") || grant.ends_with('=') {
                return None;
            }
            let names = grant.split(['=', '+']).next().unwrap_or_default();
            let harmless = names.split(',').all(|name| name.eq_ignore_ascii_case("cap_net_bind_service"));
            Some((if harmless { Severity::Medium } else { META.severity }, format!("setcap grants {grant}")))
        }
        _ => None,
    }
}

/// The directories that the same instruction makes.
fn made_directories(commands: &[Command]) -> Vec<&str> {
    let makers = commands.iter().filter(|command| makes_directories(command));
    makers.flat_map(|command| Arguments::of(command).operands).map(|word| word.text.trim_end_matches('/')).collect()
}
