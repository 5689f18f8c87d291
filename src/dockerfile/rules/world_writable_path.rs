//! `world-writable-path`: chmod 777/666/a+w/o+w in RUN, or COPY/ADD --chmod giving others write.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, HOLE},
    mode::{Mode, ModeChange},
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
            for command in commands {
                let Some(change) = ModeChange::of(command).filter(|change| change.mode.others_write && !change.mode.sticky) else {
                    continue;
                };
                let gone = |path: &str| commands.iter().any(|other| other.name == "rm" && other.has_argument(path));
                let (name, text) = (&command.name, change.text);
                let path = if change.paths.is_empty() && command.wrapped {
                    searched(commands, command)
                        .map(|path| path.map_or_else(|| "what it is given".to_owned(), |path| format!("what lies in {path}")))
                } else {
                    change.paths.into_iter().find(|path| !is_shared(path) && !gone(path)).map(str::to_owned)
                };
                let Some(path) = path.map(|path| path.replace(HOLE, "$...")) else { continue };
                let option = if name == "chmod" { "" } else { " -m" };
                let title = format!("{name}{option} {text} lets everybody write to {path}");
                findings.push(dockerfile.finding_in(&META, META.severity, command, title));
            }
        }
        for (index, instruction) in dockerfile.with_keyword("COPY").chain(dockerfile.with_keyword("ADD")) {
            let in_final = dockerfile.instructions.get(index).is_some_and(|outer| dockerfile.graph.in_final_chain(outer));
            let Some(flag) = dockerfile.graph.mode(index).filter(|_| in_final) else { continue };
            if Mode::parse(flag).is_some_and(|mode| mode.others_write && !mode.sticky) {
                findings.push(dockerfile.finding(&META, META.severity, instruction, format!("--chmod={flag} lets everybody write")));
            }
        }
        findings
    }
}

/// Where the paths come from that a command gets from the one before it in its pipeline: the first folder of a `find` that is not meant for
/// everybody, `Some(None)` where nothing says it, `None` where all of them are.
fn searched<'a>(commands: &'a [Command], command: &Command) -> Option<Option<&'a str>> {
    let pipe = command.pipes.last();
    let fits =
        |other: &&Command| other.pipes.last().zip(pipe).is_some_and(|(own, pipe)| own.id == pipe.id && own.position + 1 == pipe.position);
    let Some(find) = commands.iter().find(|other| other.name == "find" && fits(other)) else { return Some(None) };
    let mut folders = find.arguments().iter().map(|word| word.text.as_str()).skip_while(|text| text.starts_with('-'));
    let mut folders = folders.by_ref().take_while(|text| !text.starts_with(['-', '(', '!'])).peekable();
    if folders.peek().is_none() {
        return Some(None);
    }
    folders.find(|folder| !is_shared(folder)).map(Some)
}

/// Paths that are meant for everybody.
fn is_shared(path: &str) -> bool {
    ["/tmp", "/var/tmp", "/dev", "/run/lock"]
        .iter()
        .any(|shared| path == *shared || path.strip_prefix(shared).is_some_and(|rest| rest.starts_with('/')))
}
