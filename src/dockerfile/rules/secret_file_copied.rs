//! `secret-file-copied`: COPY or ADD takes a file whose name says that it is a credential.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    build_context::BuildContext,
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    copies::{Copied, in_folder},
    rule::{Dockerfile, Rule},
    secret_file::{Suspect, is_public_place, suspect},
};

const META: RuleMeta = RuleMeta {
    id: "secret-file-copied",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &[],
    also: &["CIS-DI-0010", "DS-0031"],
    needs: &[Need::Ast, Need::Stages, Need::Context],
    fix: None,
    summary: "COPY or ADD takes a file whose name says that it is a credential.",
    help: r#"What is copied stays in a layer of the image for everybody who can pull it, even when a later step deletes it. Give secrets to the one step that needs them, with `RUN --mount=type=secret`, or to the running container. With the build's folder at hand (`--context`) the rule looks inside: a certificate, or an `.npmrc` without a token, is none.

Fails:

```dockerfile
FROM node:22
COPY .npmrc package.json ./
RUN npm ci
```

Clean:

```dockerfile
FROM node:22
COPY package.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
```
"#,
};

/// COPY or ADD takes a file whose name says that it is a credential.
pub(super) struct SecretFileCopied;

impl Rule for SecretFileCopied {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let built_upon = dockerfile.graph.built_upon();
        let mut onward: Option<Onward<'_>> = None;
        let mut findings = Vec::new();
        for copied in dockerfile.copies() {
            let Some((path, suspect)) = taken(&copied, dockerfile.context) else { continue };
            let stays = copied.stage.is_none_or(|stage| built_upon.contains(&stage))
                || onward.get_or_insert_with(|| Onward::of(dockerfile)).takes(&copied, &path);
            let severity = if stays { META.severity } else { Severity::Medium };
            let title = format!("{} `{path}` is {} and stays in the layer", copied.instruction.keyword, suspect.noun());
            findings.push(dockerfile.finding(&META, severity, copied.instruction, title));
        }
        findings
    }
}

/// The first file of the instruction that is a credential, by its own name or by the one that it gets.
fn taken(copied: &Copied<'_>, context: Option<&BuildContext>) -> Option<(String, Suspect)> {
    let destination = copied.destination.text.as_str();
    let is_public = is_public_place(destination);
    for source in copied.sources.iter().filter(|source| source.is_decided()) {
        let renamed = || suspect(destination).filter(|suspect| *suspect != Suspect::Key && copied.destination.is_decided());
        let Some(suspect) = suspect(&source.text).or_else(renamed) else { continue };
        if suspect == Suspect::Key && is_public {
            continue;
        }
        let path = in_folder(&source.text);
        let entry = context.filter(|_| copied.from.is_none()).and_then(|context| context.entries.get(&path));
        if entry.and_then(|entry| entry.content.as_deref()).is_none_or(|bytes| suspect.is_confirmed(bytes)) {
            return Some((if path.is_empty() { destination.to_owned() } else { path }, suspect));
        }
    }
    None
}

/// What later stages copy from earlier ones.
struct Onward<'a> {
    stages: BTreeMap<&'a str, usize>,
    /// Paths by the stage that they are taken from, without `/` in front.
    paths: BTreeSet<(usize, String)>,
}

impl<'a> Onward<'a> {
    fn of(dockerfile: &'a Dockerfile<'_>) -> Self {
        let named = dockerfile.graph.stages.iter().enumerate();
        let stages = named.filter_map(|(index, stage)| Some((stage.name.as_deref()?, index))).collect();
        let mut this = Self { stages, paths: BTreeSet::new() };
        for copied in dockerfile.copies() {
            let stage = copied.from.and_then(|from| this.stages.get(from.to_lowercase().as_str()).copied().or_else(|| from.parse().ok()));
            if let Some(stage) = stage {
                this.paths
                    .extend(copied.sources.iter().filter(|source| source.is_decided()).map(|source| (stage, in_folder(&source.text))));
            }
        }
        this
    }

    /// Whether a stage further on takes the file, or a folder that it lies in.
    fn takes(&self, copied: &Copied<'_>, path: &str) -> bool {
        let Some(stage) = copied.stage else { return true };
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut target = copied.destination.text.clone();
        if target.ends_with('/') || target.ends_with('.') || copied.sources.len() > 1 {
            target = format!("{target}/{name}");
        }
        let target = in_folder(&target);
        let above = target.match_indices('/').filter_map(|(at, _)| target.get(..at)).take(64);
        std::iter::once(target.as_str()).chain(above).chain([""]).any(|place| self.paths.contains(&(stage, place.to_owned())))
    }
}
