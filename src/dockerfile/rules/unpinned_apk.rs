//! `unpinned-apk`: apk add without versions.

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
    id: "unpinned-apk",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3018", "d3499f6d"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Apk add without versions.",
    help: r#"A version makes a build repeatable as long as the repository has it. Alpine's repositories keep only the newest, so that pins break builds: this rule is off.

Fails:

```dockerfile
FROM alpine:3.22
RUN apk add --no-cache curl
```

Clean:

```dockerfile
FROM alpine:3.22
RUN apk add --no-cache curl=8.14.1-r2
```
"#,
};

/// Apk add without versions.
pub(super) struct UnpinnedApk;

impl Rule for UnpinnedApk {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Apk], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    if invocation.manager != Manager::Apk || invocation.action != Action::Install {
        return Vec::new();
    }
    let names = invocation.packages.iter().map(|word| word.text.as_str());
    names.filter(|name| !name.contains(['=', '~', '<', '>']) && !name.ends_with(".apk")).collect()
}
