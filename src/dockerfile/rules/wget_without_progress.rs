//! `wget-without-progress`: wget fills the log with its progress bar.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    options::Arguments,
    rule::{Dockerfile, Rule, fixed_by},
};

const META: RuleMeta = RuleMeta {
    id: "wget-without-progress",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3047"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Wget fills the log with its progress bar.",
    help: r#"wget's progress bar fills the log of a build with thousands of lines.

Fails:

```dockerfile
FROM debian:12
RUN wget https://example.com/x.tar.gz
```

Clean:

```dockerfile
FROM debian:12
RUN wget -nv https://example.com/x.tar.gz
```
"#,
};

/// Wget fills the log with its progress bar.
pub(super) struct WgetWithoutProgress;

impl Rule for WgetWithoutProgress {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command) in dockerfile.build_commands().filter(|(_, command)| command.name == "wget" && is_loud(command)) {
            let finding = dockerfile.finding_in(&META, META.severity, command, "wget draws a progress bar into the log".to_owned());
            let program = command.words.first().filter(|word| !word.range.is_empty());
            findings.push(match program {
                Some(word) => fixed_by(finding, FixKind::Safe, vec![dockerfile.edit(word.range.end..word.range.end, " --progress=dot:giga")]),
                None => finding,
            });
        }
        findings
    }
}

/// Whether nothing keeps the bar away.
fn is_loud(command: &Command) -> bool {
    let arguments = Arguments::of(command);
    let is_long = ["--progress", "--quiet", "--output-file", "--append-output", "--no-verbose"].iter().any(|name| arguments.has_long(name));
    !is_long && !['q', 'o', 'a'].iter().any(|letter| arguments.has_short(*letter)) && !command.has_argument("-nv")
}
