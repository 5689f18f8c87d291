//! `system-directory-volume`: VOLUME lies in /sys, /dev or /proc.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "system-directory-volume",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["DKL-DI-0002"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "VOLUME lies in /sys, /dev or /proc.",
    help: r#"A volume over /proc, /sys or /dev hides what the kernel shows there, or hands it to whoever mounts the volume.

Fails:

```dockerfile
FROM alpine:3.22
VOLUME /dev
```

Clean:

```dockerfile
FROM alpine:3.22
VOLUME /var/lib/app
```
"#,
};

/// VOLUME lies in /sys, /dev or /proc.
pub(super) struct SystemDirectoryVolume;

impl Rule for SystemDirectoryVolume {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("VOLUME") {
            let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
            for (argument, value) in instruction.args.iter().zip(values) {
                let path = value.text.trim_end_matches('/');
                let lies_in = |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                if let Some(root) = ["/dev", "/proc", "/sys"].into_iter().find(lies_in).filter(|_| value.is_decided()) {
                    let part = argument.at..argument.at + argument.text.len();
                    findings.push(dockerfile.finding_at(&META, META.severity, instruction, &part, format!("a volume lies in {root}")));
                }
            }
        }
        findings
    }
}
