//! `copy-of-ignored-file`: COPY or ADD takes a path that .dockerignore keeps out of the build.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "copy-of-ignored-file",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["CopyIgnoredFile"],
    also: &[],
    needs: &[Need::Ast, Need::Context],
    fix: None,
    summary: "COPY or ADD takes a path that .dockerignore keeps out of the build.",
    help: r#"What `.dockerignore` names is not sent to the builder, so the instruction fails, or takes less than it seems to. Take the path out of the one file or out of the other. Nothing is said where patterns with `!` bring something back. The folder of the build must be given (`--context`).

Fails:

```dockerfile
# .dockerignore holds: dist
FROM nginx:1.29
COPY dist /usr/share/nginx/html
```

Clean:

```dockerfile
# .dockerignore holds: node_modules
FROM nginx:1.29
COPY dist /usr/share/nginx/html
```
"#,
};

/// Most steps in which paths are compared with patterns.
const MAX_STEPS: usize = 50_000_000;

/// COPY or ADD takes a path that .dockerignore keeps out of the build.
pub(super) struct CopyOfIgnoredFile;

impl Rule for CopyOfIgnoredFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let Some(ignored) = dockerfile.ignored.as_ref().filter(|ignored| !ignored.has_negation()) else { return Vec::new() };
        let Some((file, _)) = dockerfile.context.and_then(|context| context.ignore_file.as_ref()) else { return Vec::new() };
        let everything = ignored.excludes_everything();
        let mut steps_left = MAX_STEPS;
        let mut findings = Vec::new();
        for copied in dockerfile.copies() {
            let mut stays_behind = |path: &String| {
                if path.is_empty() {
                    return everything;
                }
                // Very many paths beside very many patterns are no build that anybody wrote.
                steps_left = steps_left.saturating_sub(ignored.cost(path));
                steps_left > 0 && ignored.excludes(path)
            };
            if let Some(path) = copied.context_paths().find(&mut stays_behind) {
                let shown = if path.is_empty() { "." } else { path.as_str() };
                let title = format!("`{shown}` is kept out of the build by {file}");
                findings.push(dockerfile.finding(&META, META.severity, copied.instruction, title));
            }
        }
        findings
    }
}
