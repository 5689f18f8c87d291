//! `world-writable-path`: chmod 777/666/a+w/o+w in RUN, or COPY/ADD --chmod giving others write.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    mode::Mode,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "world-writable-path",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Chmod 777/666/a+w/o+w in RUN, or COPY/ADD --chmod giving others write.",
    help: r#"Every process in the container may replace the file: a bug in one of them becomes control over all. For arbitrary user ids give the group the rights (`g=u`), not everybody.

Fails:

```dockerfile
FROM debian:12
RUN chmod -R 777 /app
```

Clean:

```dockerfile
FROM debian:12
RUN chgrp -R 0 /app && chmod -R g=u /app
```
"#,
};

/// Chmod 777/666/a+w/o+w in RUN, or COPY/ADD --chmod giving others write.
pub(super) struct WorldWritablePath;

impl Rule for WorldWritablePath {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts() {
            if !dockerfile.graph.in_final_chain(instruction) {
                continue;
            }
            for command in commands.iter().filter(|command| command.name == "chmod") {
                let mut words = command.arguments().iter().filter(|word| !Mode::is_option(&word.text));
                let Some(text) = words.next().map(|word| word.text.as_str()) else { continue };
                if !Mode::parse(text).is_some_and(|mode| mode.others_write && !mode.sticky) {
                    continue;
                }
                let gone = |path: &str| commands.iter().any(|other| other.name == "rm" && other.has_argument(path));
                let Some(path) = words.map(|word| word.text.as_str()).find(|path| !is_shared(path) && !gone(path)) else { continue };
                let path = path.replace(crate::dockerfile::command::HOLE, "$...");
                findings.push(dockerfile.finding_in(&META, META.severity, command, format!("chmod {text} lets everybody write to {path}")));
            }
        }
        for (index, instruction) in dockerfile.with_keyword("COPY").chain(dockerfile.with_keyword("ADD")) {
            let in_final = dockerfile.instructions.get(index).is_some_and(|outer| dockerfile.graph.in_final_chain(outer));
            let Some(flag) = instruction.flag("chmod").filter(|_| in_final) else { continue };
            if Mode::parse(flag).is_some_and(|mode| mode.others_write && !mode.sticky) {
                findings.push(dockerfile.finding(&META, META.severity, instruction, format!("--chmod={flag} lets everybody write")));
            }
        }
        findings
    }
}

/// Paths that are meant for everybody.
fn is_shared(path: &str) -> bool {
    ["/tmp", "/var/tmp", "/dev", "/run/lock"]
        .iter()
        .any(|shared| path == *shared || path.strip_prefix(shared).is_some_and(|rest| rest.starts_with('/')))
}
