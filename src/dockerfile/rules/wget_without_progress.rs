//! `wget-without-progress`: wget fills the log with its progress bar.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    instruction::Instruction,
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
        for (instruction, command) in dockerfile.build_commands().filter(|(_, command)| command.name == "wget" && is_loud(command)) {
            let finding = dockerfile.finding_in(&META, META.severity, command, "wget draws a progress bar into the log".to_owned());
            let program = command.words.first().filter(|word| dockerfile.is_plain(word));
            findings.push(match program {
                Some(word) => fixed_by(finding, FixKind::Safe, vec![dockerfile.edit(word.range.end..word.range.end, quiet(dockerfile, instruction))]),
                None => finding,
            });
        }
        findings
    }
}

/// What keeps the bar away; the wget of BusyBox has no `--progress`.
fn quiet(dockerfile: &Dockerfile<'_>, instruction: &Instruction) -> &'static str {
    let image = instruction.stage.and_then(|stage| dockerfile.graph.root_image(stage));
    let is_small = image.is_some_and(|image| image.text.contains("alpine") || image.text.contains("busybox"));
    if is_small { " -q" } else { " --progress=dot:giga" }
}

/// Whether nothing keeps the bar away.
fn is_loud(command: &Command) -> bool {
    let arguments = Arguments::of(command);
    let is_long = ["--progress", "--quiet", "--output-file", "--append-output", "--no-verbose"].iter().any(|name| arguments.has_long(name));
    !is_long && !['q', 'o', 'a'].iter().any(|letter| arguments.has_short(*letter)) && !command.has_argument("-nv")
}
