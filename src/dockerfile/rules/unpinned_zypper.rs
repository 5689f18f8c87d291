//! `unpinned-zypper`: zypper install without versions.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "unpinned-zypper",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: false,
    aliases: &["562952e4", "DL3037"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Zypper install without versions.",
    help: r#"A version makes a build repeatable as long as the repository has it. Pins break when it goes, so this rule is off.

Fails:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl
```

Clean:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl=8.6.0
```
"#,
};

/// Zypper install without versions.
pub(super) struct UnpinnedZypper;

impl Rule for UnpinnedZypper {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Zypper], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    if invocation.manager != Manager::Zypper || invocation.action != Action::Install {
        return Vec::new();
    }
    let names = invocation.packages.iter().map(|word| word.text.as_str());
    names.filter(|name| !name.contains(['=', '<', '>']) && !name.ends_with(".rpm")).collect()
}
