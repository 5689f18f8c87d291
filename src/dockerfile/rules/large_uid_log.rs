//! `large-uid-log`: useradd with a high uid and without -l makes a sparse lastlog.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    options::{Arguments, Name},
    rule::{Dockerfile, Rule, fixed_by},
};

const META: RuleMeta = RuleMeta {
    id: "large-uid-log",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3046"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Useradd with a high uid and without -l makes a sparse lastlog.",
    help: r#"useradd writes an entry for every number up to the new one into /var/log/lastlog and faillog: gigabytes for a large number. `-l` leaves that out. Unlike hadolint's DL3046, a number in a variable is no large one until its value is known.

Fails:

```dockerfile
FROM debian:12
RUN useradd -u 1000000 app
```

Clean:

```dockerfile
FROM debian:12
RUN useradd -l -u 1000000 app
```
"#,
};

/// Useradd with a high uid and without -l makes a sparse lastlog.
pub(super) struct LargeUidLog;

impl Rule for LargeUidLog {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command) in dockerfile.build_commands().filter(|(_, command)| command.name == "useradd" && is_faulty(command)) {
            let finding =
                dockerfile.finding_in(&META, META.severity, command, "a large number without -l fills the log of logins".to_owned());
            let program = command.words.first().filter(|word| dockerfile.is_plain(word));
            findings.push(match program {
                Some(word) => fixed_by(finding, FixKind::Safe, vec![dockerfile.edit(word.range.end..word.range.end, " -l")]),
                None => finding,
            });
        }
        findings
    }
}

/// Whether the number has more than five digits, and nothing keeps it out of the log.
fn is_faulty(command: &Command) -> bool {
    let arguments = Arguments::of(command);
    let is_large = |value: &str| value.len() > 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = arguments
        .options
        .iter()
        .any(|option| matches!(option.name, Name::Short('u') | Name::Long("--uid")) && option.value.is_some_and(is_large));
    number && !arguments.has_short('l') && !arguments.has_long("--no-log-init")
}
