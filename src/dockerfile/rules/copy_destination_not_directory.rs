//! `copy-destination-not-directory`: COPY of several sources to a destination without a trailing slash.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "copy-destination-not-directory",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["6db6e0c2", "AVD-DS-0011", "DL3021", "DS-0011", "DS011"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "COPY of several sources to a destination without a trailing slash.",
    help: r#"Several sources need a folder, and COPY knows one by its slash at the end: without it the build fails.

Fails:

```dockerfile
FROM alpine:3.22
COPY a.py b.py /app
```

Clean:

```dockerfile
FROM alpine:3.22
COPY a.py b.py /app/
```
"#,
};

/// COPY of several sources to a destination without a trailing slash.
pub(super) struct CopyDestinationNotDirectory;

impl Rule for CopyDestinationNotDirectory {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, instruction) in dockerfile.with_keyword("COPY") {
            let Some((target, sources)) = instruction.args.split_last() else { continue };
            let bare = target.text.trim_matches(['"', '\'']);
            if sources.len() < 2 || bare.ends_with(['/', '\\']) || bare == "." || bare.contains('$') {
                continue;
            }
            let part = target.at..target.at + target.text.len();
            let finding = dockerfile.finding_at(
                &META,
                META.severity,
                instruction,
                &part,
                format!("several sources, and `{bare}` does not end with a slash"),
            );
            let edit = (bare == target.text).then(|| dockerfile.edit_in(instruction, &part, format!("{bare}/"))).flatten();
            findings.push(match edit {
                Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}
