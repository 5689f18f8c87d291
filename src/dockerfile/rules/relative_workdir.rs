//! `relative-workdir`: WORKDIR is relative and nothing absolute precedes it in the stage chain.

use std::collections::BTreeMap;

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::fixed_if,
    rule::{Dockerfile, Rule},
    stages::Base,
};

const META: RuleMeta = RuleMeta {
    id: "relative-workdir",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["6b376af8", "AVD-DS-0009", "CKV_DOCKER_10", "DL3000", "DS-0009", "DS009", "WorkdirRelativePath"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Safe),
    summary: "WORKDIR is relative and nothing absolute precedes it in the stage chain.",
    help: r#"A relative WORKDIR continues the last one, or that of the base image, which nobody sees here. BuildKit's WorkdirRelativePath is content where an absolute WORKDIR stands before it; like hadolint's rule, this one is not, and stays silent on a variable that only the base image sets (`WORKDIR $SRC`).

Fails:

```dockerfile
FROM alpine:3.22
WORKDIR app
```

Clean:

```dockerfile
FROM alpine:3.22
WORKDIR /app
```
"#,
};

/// WORKDIR is relative and nothing absolute precedes it in the stage chain.
pub(super) struct RelativeWorkdir;

impl Rule for RelativeWorkdir {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let absolute = absolute(dockerfile);
        for (index, instruction) in dockerfile.with_keyword("WORKDIR") {
            let Some(value) = dockerfile.graph.values.get(index).and_then(|values| values.first()) else { continue };
            let is_relative = |text: &str| !is_absolute(text.trim_matches(['"', '\'']));
            if value.is_decided() && is_relative(&value.text) && !instruction.rest.starts_with('$') {
                let title = format!("`{}` is relative", value.text);
                let finding = dockerfile.finding(&META, META.severity, instruction, title);
                let part = instruction.rest_at..instruction.rest_at + instruction.rest.len();
                let edit = absolute.get(&index).and_then(|path| dockerfile.edit_in(instruction, &part, path.as_str()));
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Per relative WORKDIR, the path that it means, where plain words say it.
fn absolute(dockerfile: &Dockerfile<'_>) -> BTreeMap<usize, String> {
    let mut at_end: Vec<Option<String>> = Vec::new();
    let mut found = BTreeMap::new();
    let mut places = dockerfile.places.get("WORKDIR").map_or(&[][..], Vec::as_slice).iter().copied().peekable();
    for stage in &dockerfile.graph.stages {
        let mut current = match &stage.base {
            Base::Stage(below) => at_end.get(*below).cloned().flatten(),
            Base::Image(image) => dockerfile.bases.get(&image.text).map(|base| base.working_dir.clone()).filter(|folder| is_plain(folder)),
            Base::Scratch => None,
        };
        while let Some(index) = places.next_if(|index| *index < stage.instructions.end) {
            let Some(instruction) = dockerfile.instructions.get(index).filter(|_| index >= stage.instructions.start) else { continue };
            let path = instruction.rest.as_str();
            let is_literal = is_plain(path) && !path.split('/').any(|part| part == "..");
            let clean = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
            current = if !is_literal {
                None
            } else if path.starts_with('/') {
                Some(format!("/{clean}"))
            } else {
                let joined =
                    current.filter(|folder| folder.starts_with('/')).map(|folder| format!("{}/{clean}", folder.trim_end_matches('/')));
                // A chain of relative paths grows without end.
                let joined = joined.filter(|path| path.len() <= 512);
                found.extend(joined.clone().map(|path| (index, path)));
                joined
            };
        }
        at_end.push(current);
    }
    found
}

/// A path that means what it says.
fn is_plain(path: &str) -> bool {
    !path.is_empty() && path.chars().all(|ch| ch.is_ascii_alphanumeric() || "/._-+@".contains(ch))
}

/// Whether a path begins at a root, or on a drive of Windows.
fn is_absolute(path: &str) -> bool {
    let on_drive = || matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    path.starts_with(['/', '\\']) || on_drive()
}
