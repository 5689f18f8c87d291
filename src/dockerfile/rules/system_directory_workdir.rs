//! `system-directory-workdir`: WORKDIR lies in /proc, /sys, /dev, /boot, /initrd or /lost+found.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "system-directory-workdir",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["AVD-DS-0030", "DS-0030", "DS030"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "WORKDIR lies in /proc, /sys, /dev, /boot, /initrd or /lost+found.",
    help: r#"What the kernel shows in /proc, /sys and /dev is not of the image: work there is lost, or does harm.

Fails:

```dockerfile
FROM alpine:3.22
WORKDIR /proc/self
```

Clean:

```dockerfile
FROM alpine:3.22
WORKDIR /app
```
"#,
};

/// WORKDIR lies in /proc, /sys, /dev, /boot, /initrd or /lost+found.
pub(super) struct SystemDirectoryWorkdir;

impl Rule for SystemDirectoryWorkdir {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("WORKDIR") {
            let Some(value) = dockerfile.graph.values.get(index).and_then(|values| values.first()).filter(|value| value.is_decided())
            else {
                continue;
            };
            let path = value.text.trim_end_matches('/');
            let lies_in = |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if let Some(root) = SYSTEM.iter().copied().find(lies_in) {
                // Shared memory is a place to work in for some.
                let severity = if path.starts_with("/dev/shm") { Severity::Low } else { META.severity };
                findings.push(dockerfile.finding(&META, severity, instruction, format!("{} lies in {root}", value.text)));
            }
        }
        findings
    }
}

/// Folders that are the system's.
const SYSTEM: &[&str] = &["/boot", "/dev", "/initrd", "/lost+found", "/proc", "/sys"];
