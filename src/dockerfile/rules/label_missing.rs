//! `label-missing`: A label that the image must have is not set.

use std::collections::BTreeSet;

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-missing",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3049"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Config],
    fix: None,
    summary: "A label that the image must have is not set.",
    help: r#"Labels say where an image comes from, of which commit and under which licence; registries and scanners read them. Those that the policy lists (`rules.settings.labels`) are looked for in the final stage and in the stages below it; stages that are only copied from need none.

Fails:

```dockerfile
FROM alpine:3.22
RUN make
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.source="https://github.com/acme/app"
RUN make
```
"#,
};

/// A label that the image must have is not set.
pub(super) struct LabelMissing;

impl Rule for LabelMissing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let asked = &dockerfile.settings.labels;
        let graph = &dockerfile.graph;
        let Some(last) = graph.final_stage.filter(|_| !asked.is_empty()) else { return Vec::new() };
        let chain: BTreeSet<usize> = graph.chain(last).collect();
        let here = dockerfile.labels().into_iter().filter(|label| label.stage.is_some_and(|stage| chain.contains(&stage)));
        let set: BTreeSet<&str> = here.map(|label| label.key).collect();
        let base = graph.root_image(last).and_then(|image| dockerfile.bases.get(&image.text));
        let is_missing = |name: &&String| !set.contains(name.as_str()) && base.is_none_or(|base| !base.labels.contains_key(*name));
        let missing: Vec<&str> = asked.keys().filter(is_missing).map(String::as_str).collect();
        let title = match missing.as_slice() {
            [] => return Vec::new(),
            [one] => format!("the image gets no label {one}"),
            many => format!("the image gets none of the labels {}", many.join(", ")),
        };
        let from = dockerfile.final_stage().and_then(|stage| dockerfile.instructions.get(stage.from));
        from.map(|from| dockerfile.finding(&META, META.severity, from, title)).into_iter().collect()
    }
}
