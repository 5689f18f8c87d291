//! `undeclared-arg-in-from`: FROM uses an ARG that is not declared before the first FROM.

use std::collections::BTreeSet;

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    expand::Quotes,
    rule::{Dockerfile, Rule},
    scope::predefined,
    variables::{COMPARISONS, nearest, used},
};

const META: RuleMeta = RuleMeta {
    id: "undeclared-arg-in-from",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["UndefinedArgInFrom"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "FROM uses an ARG that is not declared before the first FROM.",
    help: r#"FROM sees the arguments before the first FROM and those that the builder sets by itself (TARGETPLATFORM, BUILDARCH and the like), and nothing else: an argument of a stage is unknown to it. What is not declared is empty.

Fails:

```dockerfile
FROM alpine:3.22 AS tools
ARG VERSION=12
FROM debian:$VERSION
```

Clean:

```dockerfile
ARG VERSION=12
FROM alpine:3.22 AS tools
FROM debian:$VERSION
```
"#,
};

/// FROM uses an ARG that is not declared before the first FROM.
pub(super) struct UndeclaredArgInFrom;

impl Rule for UndeclaredArgInFrom {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let global = dockerfile.instructions.iter().filter(|instruction| instruction.stage.is_none() && instruction.keyword == "ARG");
        let mut declared: BTreeSet<&str> = global.flat_map(|instruction| instruction.pairs()).map(|pair| pair.name).collect();
        for name in predefined() {
            declared.insert(name);
        }
        let mut left = COMPARISONS;
        let mut findings = Vec::new();
        for stage in &dockerfile.graph.stages {
            let Some(instruction) = dockerfile.instructions.get(stage.from) else { continue };
            let image = instruction.args.first().map(|argument| argument.text.as_str());
            let mut names = image
                .into_iter()
                .chain(instruction.flag("platform"))
                .flat_map(|text| used(text, dockerfile.directives.escape, Quotes::Remove));
            let Some(name) = names.find(|name| !declared.contains(name)) else { continue };
            let title = if dockerfile.places.contains_key(&format!("${name}")) {
                format!("`${name}` is set in a stage, and FROM sees only the arguments before the first FROM")
            } else {
                match nearest(name, declared.iter().copied(), &mut left) {
                    Some(other) => format!("`${name}` is not declared before the first FROM: perhaps `${other}` is meant"),
                    None => format!("`${name}` is not declared before the first FROM"),
                }
            };
            findings.push(dockerfile.finding(&META, META.severity, instruction, title));
        }
        findings
    }
}
