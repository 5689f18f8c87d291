//! `copy-from-unknown-stage`: COPY --from (or --mount=from) names neither an earlier stage, a valid index nor an image.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "copy-from-unknown-stage",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["68a51e22", "DL3022"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "COPY --from (or --mount=from) names neither an earlier stage, a valid index nor an image.",
    help: r#"A name that is neither a stage nor an index is taken for an image: a slip of the pen is pulled from a public registry, from whoever has that name there. Unlike hadolint's DL3022, an image without a tag is no unknown stage where its name says that it is an image; `untagged-image` speaks about that one.

Fails:

```dockerfile
FROM alpine:3.22 AS build
FROM scratch
COPY --from=biuld /app /app
```

Clean:

```dockerfile
FROM alpine:3.22 AS build
FROM scratch
COPY --from=build /app /app
```
"#,
};

/// COPY --from (or --mount=from) names neither an earlier stage, a valid index nor an image.
pub(super) struct CopyFromUnknownStage;

impl Rule for CopyFromUnknownStage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("COPY").chain(dockerfile.with_keyword("RUN")) {
            let at = instruction.stage.unwrap_or_default();
            let before = dockerfile.graph.stages.get(..at).unwrap_or_default();
            let is_stage = |name: &str| before.iter().any(|stage| stage.name.as_deref() == Some(name.to_lowercase().as_str()));
            // An own stage has a rule of its own.
            let is_index = |name: &str| name.parse::<usize>().is_ok_and(|index| index <= at);
            let is_own = |name: &str| {
                dockerfile.graph.stages.get(at).is_some_and(|stage| stage.name.as_deref() == Some(name.to_lowercase().as_str()))
            };
            let is_image = |name: &str| name.contains([':', '/', '@', '$', '.']);
            if let Some(name) = instruction.sources().find(|name| !is_stage(name) && !is_index(name) && !is_own(name) && !is_image(name)) {
                findings.push(dockerfile.finding(&META, META.severity, instruction, format!("`{name}` is no earlier stage")));
            }
        }
        findings
    }
}
