//! `copy-of-ignored-file`: COPY or ADD takes a path that .dockerignore keeps out of the build.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    copies::Budget,
    rule::{Dockerfile, Rule},
};

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
    help: r#"What `.dockerignore` names is not sent to the builder, so the instruction fails, or takes less than it seems to. Take the path out of the one file or out of the other. Nothing is said where a pattern with `!` may bring back something that lies in the path; BuildKit's CopyIgnoredFile says nothing as soon as there is any such pattern. The folder of the build must be given (`--context`).

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

/// COPY or ADD takes a path that .dockerignore keeps out of the build.
pub(super) struct CopyOfIgnoredFile;

impl Rule for CopyOfIgnoredFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let (Some(context), Some(ignored)) = (dockerfile.context, &dockerfile.ignored) else { return Vec::new() };
        let Some((file, _)) = &context.ignore_file else { return Vec::new() };
        let everything = ignored.excludes_everything();
        let mut budget = Budget::new();
        let mut findings = Vec::new();
        for copied in dockerfile.copies() {
            let mut stays_behind = |path: &String| {
                if path.is_empty() {
                    return everything;
                }
                // Below a file there is nothing that a pattern could take back in.
                let is_file = context.entries.get(path).is_some_and(|entry| !entry.is_folder);
                budget.spend(ignored, path) && if is_file { ignored.excludes(path) } else { ignored.keeps_out(path) }
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
