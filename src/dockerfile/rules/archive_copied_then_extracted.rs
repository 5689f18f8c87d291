//! `archive-copied-then-extracted`: COPY of an archive that a later RUN extracts.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "archive-copied-then-extracted",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3010"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Shell],
    fix: None,
    summary: "COPY of an archive that a later RUN extracts.",
    help: r#"The archive stays in a layer of the image for good, beside what is unpacked from it, even if the same RUN removes it. ADD unpacks an archive of tar, also a compressed one, without keeping it. It does not unpack zip.

Fails:

```dockerfile
FROM debian:12
COPY app.tar.gz /tmp/
RUN tar xzf /tmp/app.tar.gz -C /opt
```

Clean:

```dockerfile
FROM debian:12
ADD app.tar.gz /opt/
```
"#,
};

/// COPY of an archive that a later RUN extracts.
pub(super) struct ArchiveCopiedThenExtracted;

impl Rule for ArchiveCopiedThenExtracted {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for stage in &dockerfile.graph.stages {
            let mut copied = BTreeMap::<&str, usize>::new();
            let mut told = BTreeSet::new();
            for index in stage.instructions.clone() {
                let Some(instruction) = dockerfile.instructions.get(index) else { continue };
                match instruction.keyword.as_str() {
                    "COPY" if instruction.flag("from").is_none() && instruction.heredocs.is_empty() => {
                        let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
                        let Some((target, sources)) = values.split_last() else { continue };
                        for source in sources.iter().filter(|source| source.is_decided() && is_archive(&source.text)) {
                            copied.insert(base(&source.text), index);
                            // What is no folder is the name of the file.
                            if !target.text.ends_with('/') && base(&target.text).contains('.') {
                                copied.insert(base(&target.text), index);
                            }
                        }
                    }
                    "RUN" if !copied.is_empty() => {
                        for command in dockerfile.commands.get(index).into_iter().flatten().filter(|command| extracts(command)) {
                            let found = command.arguments().iter().find_map(|word| {
                                let name = word.text.strip_prefix("--file=").unwrap_or(&word.text);
                                copied.get(base(name)).map(|at| (*at, base(name)))
                            });
                            let Some((at, name)) = found.filter(|(at, _)| told.insert(*at)) else { continue };
                            if let Some(copy) = dockerfile.instructions.get(at) {
                                let title = format!(
                                    "{name} is unpacked on line {} and stays in its layer; ADD unpacks it without that",
                                    instruction.line
                                );
                                findings.push(dockerfile.finding(&META, META.severity, copy, title));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        findings
    }
}

/// Ends of the names of archives that ADD unpacks.
const ARCHIVES: &[&str] = &[".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lzma", ".tlz"];

fn is_archive(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ARCHIVES.iter().any(|end| lower.ends_with(end))
}

fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

fn extracts(command: &Command) -> bool {
    if !command.is_one_of(&["tar", "bsdtar", "gtar"]) {
        return false;
    }
    let mut words = command.arguments().iter().map(|word| word.text.as_str());
    let is_old_form =
        words.clone().next().is_some_and(|first| !first.starts_with('-') && first.contains('x') && !first.contains(['/', '.']));
    is_old_form
        || words
            .any(|word| matches!(word, "--extract" | "--get") || (word.starts_with('-') && !word.starts_with("--") && word.contains('x')))
}
