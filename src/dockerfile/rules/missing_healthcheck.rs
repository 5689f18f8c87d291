//! `missing-healthcheck`: no HEALTHCHECK in the final stage's chain.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "missing-healthcheck",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: false,
    aliases: &["AVD-DS-0026", "CIS-4.6", "CIS-DI-0006", "CKV_DOCKER_2", "DL3057", "DS-0026", "DS026", "b03a748a"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "No HEALTHCHECK in the final stage's chain.",
    help: r#"Without HEALTHCHECK Docker calls a container healthy as long as its process lives. Kubernetes and ECS have checks of their own and ignore it, so this rule is off.

Fails:

```dockerfile
FROM alpine:3.22
CMD ["server"]
```

Clean:

```dockerfile
FROM alpine:3.22
HEALTHCHECK CMD ["server", "--check"]
CMD ["server"]
```
"#,
};

/// No HEALTHCHECK in the final stage's chain.
pub(super) struct MissingHealthcheck;

impl Rule for MissingHealthcheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let graph = &dockerfile.graph;
        let Some(last) = graph.final_stage else { return Vec::new() };
        let is_check = |index: usize| dockerfile.instructions.get(index).is_some_and(|instruction| instruction.keyword == "HEALTHCHECK");
        let from = graph.stages.get(last).and_then(|stage| dockerfile.instructions.get(stage.from));
        let missing = from.filter(|_| graph.last_in_chain(last, is_check).is_none());
        missing.map(|from| dockerfile.finding(&META, META.severity, from, "the image has no HEALTHCHECK".to_owned())).into_iter().collect()
    }
}
