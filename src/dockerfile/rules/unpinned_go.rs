//! `unpinned-go`: go install, go get or go run of a module without a version.

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
    id: "unpinned-go",
    group: Group::Reproducibility,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["DL3062"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Go install, go get or go run of a module without a version.",
    help: r#"Without a version `go install` takes whatever was tagged last. In a module of its own, go.mod says what was tested.

Fails:

```dockerfile
FROM golang:1.25
RUN go install example.com/tool@latest
```

Clean:

```dockerfile
FROM golang:1.25
RUN go install example.com/tool@v1.4.0
```
"#,
};

/// Go install, go get or go run of a module without a version.
pub(super) struct UnpinnedGo;

impl Rule for UnpinnedGo {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_unpinned(&META, &[Manager::Go], unpinned)
    }
}

fn unpinned<'a>(invocation: &Invocation<'a>) -> Vec<&'a str> {
    if invocation.manager != Manager::Go || invocation.action != Action::Install {
        return Vec::new();
    }
    // `go run` hands what follows its package to the program.
    let most = if invocation.verb == "run" { 1 } else { usize::MAX };
    invocation.packages.iter().take(most).map(|word| word.text.as_str()).filter(|name| !is_pinned(name)).collect()
}

/// Whether a package is of this module, of the standard library, or has a version.
fn is_pinned(name: &str) -> bool {
    match name.rsplit_once('@') {
        Some((_, version)) => !matches!(version, "latest" | "none" | "upgrade" | "patch" | ""),
        // The path of a foreign module begins with a domain.
        None => !name.split('/').next().is_some_and(|first| first.contains('.') && !first.starts_with('.')) || name.ends_with(".go"),
    }
}
