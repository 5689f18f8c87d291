//! `invalid-default-arg-in-from`: with default ARG values the FROM reference is empty or invalid.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    rule::{Dockerfile, Rule},
    scope::Scope,
    stage_builder::is_reference,
};

const META: RuleMeta = RuleMeta {
    id: "invalid-default-arg-in-from",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["InvalidDefaultArgInFrom"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "With default ARG values the FROM reference is empty or invalid.",
    help: r#"Without `--build-arg` this FROM names no image, so a plain `docker build` of the file fails, and tools that read it do not know what it is built on. Give the argument a default that works, or say by `${IMAGE:?message}` that it must be given.

Fails:

```dockerfile
ARG VERSION
FROM alpine:$VERSION
```

Clean:

```dockerfile
ARG VERSION=3.22
FROM alpine:$VERSION
```
"#,
};

/// With default ARG values the FROM reference is empty or invalid.
pub(super) struct InvalidDefaultArgInFrom;

impl Rule for InvalidDefaultArgInFrom {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let given = BTreeMap::new();
        let mut scope = Scope::global(dockerfile.directives.escape);
        for instruction in
            dockerfile.instructions.iter().take_while(|instruction| instruction.keyword != "FROM").filter(|it| it.keyword == "ARG")
        {
            for pair in instruction.pairs() {
                let Ok(default) = pair.value.map(|value| scope.expand(value)).transpose() else { return Vec::new() };
                scope.declare(pair.name, default, &given, None);
            }
        }
        let mut names = BTreeSet::new();
        let mut findings = Vec::new();
        for stage in &dockerfile.graph.stages {
            let image = dockerfile.instructions.get(stage.from).and_then(|instruction| Some((instruction, instruction.args.first()?)));
            if let Some((instruction, image)) = image.filter(|(_, image)| image.text.contains('$'))
                && let Ok(value) = scope.expand(&image.text)
                && !names.contains(value.text.as_str())
                && !is_reference(&value.text)
            {
                let what = if value.text.is_empty() { "nothing".to_owned() } else { format!("`{}`, which is no image", value.text) };
                let title = format!("without build arguments `{}` is {what}", image.text);
                findings.push(dockerfile.finding(&META, META.severity, instruction, title));
            }
            names.extend(stage.name.as_deref());
        }
        findings
    }
}
