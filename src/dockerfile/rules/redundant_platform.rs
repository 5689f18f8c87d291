//! `redundant-platform`: FROM --platform=$TARGETPLATFORM is the default.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "redundant-platform",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3065", "RedundantTargetPlatform"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "FROM --platform=$TARGETPLATFORM is the default.",
    help: r#"A stage is built for the target platform unless told otherwise: the flag says nothing.

Fails:

```dockerfile
FROM --platform=$TARGETPLATFORM alpine:3.22
```

Clean:

```dockerfile
FROM alpine:3.22
```
"#,
};

/// FROM --platform=$TARGETPLATFORM is the default.
pub(super) struct RedundantPlatform;

impl Rule for RedundantPlatform {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if is_set(dockerfile) {
            return findings;
        }
        for (_, instruction) in dockerfile.with_keyword("FROM") {
            if !matches!(instruction.flag("platform"), Some("$TARGETPLATFORM" | "${TARGETPLATFORM}")) {
                continue;
            }
            let finding = dockerfile.finding(&META, META.severity, instruction, "the target platform is the default".to_owned());
            let start = instruction.at + instruction.word.len();
            let edit =
                (instruction.flags.len() == 1).then(|| dockerfile.edit_in(instruction, &(start..instruction.rest_at), " ")).flatten();
            findings.push(match edit {
                Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}

/// Whether a global ARG gives the variable a default, which then stands in the place of the target platform.
fn is_set(dockerfile: &Dockerfile<'_>) -> bool {
    let setters = dockerfile
        .places
        .get("$TARGETPLATFORM")
        .into_iter()
        .flatten()
        .filter_map(|index| Some((*index, dockerfile.instructions.get(*index)?)));
    let mut pairs = setters
        .filter(|(_, setter)| setter.stage.is_none())
        .flat_map(|(index, setter)| setter.pairs().into_iter().enumerate().map(move |(at, pair)| (index, at, pair)));
    pairs.any(|(index, at, pair)| pair.value.is_some() && dockerfile.graph.name(index, at, pair.name) == "TARGETPLATFORM")
}
