//! `zypper-interactive`: zypper install/remove/patch without -n or -y.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "zypper-interactive",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["45e1fca5", "DL3034"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Zypper install/remove/patch without -n or -y.",
    help: r#"Without -n zypper asks, and nobody is there to answer: the build stops.

Fails:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper install curl
```

Clean:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl
```
"#,
};

/// Zypper install/remove/patch without -n or -y.
pub(super) struct ZypperInteractive;

impl Rule for ZypperInteractive {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called_with(&META, &[Manager::Zypper], is_faulty, "zypper asks, and nobody answers", |command, _| {
            dockerfile.after_program(command, " -n")
        })
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    invocation.manager == Manager::Zypper
        && (matches!(invocation.action, Action::Install | Action::Remove | Action::DistUpgrade) || invocation.verb == "patch")
        && !invocation.has(&["n", "y", "--non-interactive", "--no-confirm"])
}
