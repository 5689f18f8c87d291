//! `stage-name-casing`: A stage name has capitals.

use std::collections::BTreeMap;

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::fixed_if,
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "stage-name-casing",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["StageNameCasing"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Safe),
    summary: "A stage name has capitals.",
    help: r#"Stage names are compared in lower case, except by FROM, which wants them as they are written: capitals make `FROM Build` an image.

Fails:

```dockerfile
FROM alpine:3.22 AS Build
```

Clean:

```dockerfile
FROM alpine:3.22 AS build
```
"#,
};

/// A stage name has capitals.
pub(super) struct StageNameCasing;

impl Rule for StageNameCasing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let uses = uses(dockerfile);
        for (_, instruction) in dockerfile.with_keyword("FROM") {
            let [_, _, name] = instruction.args.as_slice() else { continue };
            if name.text == name.text.to_lowercase() {
                continue;
            }
            let part = name.at..name.at + name.text.len();
            let finding =
                dockerfile.finding_at(&META, META.severity, instruction, &part, format!("the stage name `{}` has capitals", name.text));
            let edit = dockerfile.edit_in(instruction, &part, name.text.to_lowercase());
            let edits = edit.and_then(|edit| {
                let uses = uses.get(&name.text.to_lowercase()).map_or(&[][..], Vec::as_slice);
                if uses.len() > MAX_USES {
                    return None;
                }
                let uses = uses.iter();
                let renamed = uses.map(|(user, at)| dockerfile.edit_in(user, &(*at..at + name.text.len()), name.text.to_lowercase()));
                std::iter::once(Some(edit)).chain(renamed).collect()
            });
            findings.push(fixed_if(finding, FixKind::Safe, edits));
        }
        findings
    }
}

/// The most places at which a name is changed.
const MAX_USES: usize = 64;

/// Where COPY and mounts name stages with capitals, which they may, by the name in lower case.
fn uses<'a>(dockerfile: &'a Dockerfile<'_>) -> BTreeMap<String, Vec<(&'a Instruction, usize)>> {
    let mut uses = BTreeMap::<String, Vec<(&Instruction, usize)>>::new();
    for index in ["COPY", "RUN"].iter().filter_map(|keyword| dockerfile.places.get(*keyword)).flatten() {
        let Some(instruction) = dockerfile.instructions.get(*index).filter(|instruction| !instruction.flags.is_empty()) else { continue };
        let Some(flags) = instruction.logical.text.get(instruction.at..instruction.rest_at) else { continue };
        for (at, mark) in flags.match_indices("from=") {
            let at = at + mark.len();
            let name: &str = flags.get(at..).and_then(|rest| rest.split([' ', '\t', ',', '"', '\'']).next()).unwrap_or_default();
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                uses.entry(name.to_lowercase()).or_default().push((instruction, instruction.at + at));
            }
        }
    }
    uses
}
