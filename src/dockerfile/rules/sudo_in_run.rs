//! `sudo-in-run`: RUN executes sudo.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    image::is_root_user,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    edits::fixed_if,
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "sudo-in-run",
    group: Group::Security,
    severity: Severity::Low,
    default_on: true,
    aliases: &["8ada6e80", "AVD-DS-0010", "CKV2_DOCKER_1", "DKL-DI-0001", "DL3004", "DS-0010", "DS010", "no-sudo-in-dockerfile"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "RUN executes sudo.",
    help: r#"A build step that needs sudo either runs as root already, or the image carries a way to become root. Use USER root around the step. The fix takes sudo out where no USER other than root comes before.

Fails:

```dockerfile
FROM alpine:3.22
RUN sudo apk add curl
```

Clean:

```dockerfile
FROM alpine:3.22
USER root
RUN apk add curl
USER app
```
"#,
};

/// RUN executes sudo.
pub(super) struct SudoInRun;

impl Rule for SudoInRun {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let sudo = dockerfile.build_commands().filter(|(_, command)| command.name == "sudo");
        sudo.map(|(instruction, command)| {
            let finding = dockerfile.finding_in(&META, META.severity, command, "sudo in RUN".to_owned());
            let edit = without(dockerfile, command).filter(|_| may_be_root(dockerfile, instruction));
            fixed_if(finding, FixKind::Unsafe, edit.map(|edit| vec![edit]))
        })
        .collect()
    }
}

/// Whether nothing says that the instruction runs as somebody else, who needs sudo; what ONBUILD runs depends on the file that builds on this one.
fn may_be_root(dockerfile: &Dockerfile<'_>, instruction: &Instruction) -> bool {
    let has_user = dockerfile.comes_after(instruction, "USER");
    instruction.trigger.is_none() && dockerfile.user_of(instruction).map_or(!has_user, |user| is_root_user(user, false))
}

/// The command without sudo, which must have no options of its own.
fn without(dockerfile: &Dockerfile<'_>, command: &Command) -> Option<Edit> {
    let [sudo, next, ..] = command.words.as_slice() else { return None };
    let between = dockerfile.source.text.get(sudo.range.end..next.range.start)?;
    let is_simple = dockerfile.is_plain(sudo) && !next.text.starts_with('-') && !next.text.contains('=');
    (is_simple && !between.is_empty() && between.trim_matches([' ', '\t']).is_empty())
        .then(|| dockerfile.edit(sudo.range.start..next.range.start, ""))
}
